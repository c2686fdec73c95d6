import type { IncomingHttpHeaders } from 'node:http';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Whether an answer is held until it is complete, so that the prediction in it can be read: short, plain JSON. One in
 * chunks may still turn out too long; whoever holds it lets it go then.
 */
export function mayHoldPrediction(httpStatus: number, headers: IncomingHttpHeaders, bytesMax: number): boolean {
  if (httpStatus >= 300) return false;
  const { 'content-type': type, 'content-length': length, 'content-encoding': encoding } = headers;
  if (encoding !== undefined || type === undefined || !JSON_TYPE.test(type)) return false;
  return length === undefined || Number(length) <= bytesMax;
}
