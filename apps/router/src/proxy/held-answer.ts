import type { AnswerHead } from '../domain/answer-head.js';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Whether an answer is held until it is complete, so that the prediction in it can be read: short, plain JSON. One in
 * chunks may still turn out too long; whoever holds it lets it go then.
 */
export function mayHoldPrediction(head: AnswerHead, bytesMax: number): boolean {
  const { httpStatus, contentType, contentEncoding, contentLength } = head;
  if (httpStatus >= 300 || contentEncoding !== null || contentType === null || !JSON_TYPE.test(contentType))
    return false;
  return contentLength === null || contentLength <= bytesMax;
}
