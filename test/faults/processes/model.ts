import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { answerWith } from './child.js';
import { OWN_ERROR_HEADER } from './own-error.js';

/**
 * How the model server fares.
 *   ok       answers at once; a share with 500, which is said in a header
 *   refuses  500 to everything
 *   hangs    takes requests and never answers
 *   garbage  answers with bytes that are no HTTP
 *   drips    begins its answers, and goes on at a byte a second
 */
export type ModelMode = 'ok' | 'refuses' | 'hangs' | 'garbage' | 'drips';

export type ModelQuestion =
  | {
      readonly kind: 'listen';
      readonly port: number;
      /** Share of answers that are 500 when all is well; default none. */
      readonly ownErrors?: number;
    }
  | { readonly kind: 'mode'; readonly mode: ModelMode; readonly ownErrors: number }
  /** When it refused its first prediction in this mode, ms since the epoch; 0: none. */
  | { readonly kind: 'first-refusal' };

const ANSWER = JSON.stringify({
  outputs: [{ name: 'class', datatype: 'INT64', shape: [1], data: [3] }],
  filling: 'x'.repeat(200),
});
const DRIP_MS = 1_000;

const random = seededRandom(1);
let mode: ModelMode = 'ok';
let ownErrors = 0;
let firstRefusalMs = 0;

const http = createServer((request, response) => {
  request.resume();
  const isPrediction = request.url!.endsWith('/infer');
  if (isPrediction && mode === 'ok' && random() < ownErrors) {
    response.writeHead(500, { 'content-type': 'application/json', 'content-length': 2, [OWN_ERROR_HEADER]: '1' });
    return response.end('{}');
  }
  if (!isPrediction || mode === 'ok') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) });
    return response.end(ANSWER);
  }
  switch (mode) {
    case 'refuses':
      firstRefusalMs ||= Date.now();
      response.writeHead(500, { 'content-type': 'application/json', 'content-length': 2 });
      return response.end('{}');
    case 'hangs':
      return;
    case 'garbage':
      return request.socket.end('\u0000\u0001 this is no HTTP \r\n\r\n');
    case 'drips': {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(ANSWER) });
      let at = 0;
      const drip = setInterval(() => response.write(ANSWER[at++ % ANSWER.length]), DRIP_MS);
      return response.once('close', () => clearInterval(drip));
    }
  }
});
http.keepAliveTimeout = 60_000;

answerWith<ModelQuestion, number>(async (question) => {
  if (question.kind === 'first-refusal') return firstRefusalMs;
  if (question.kind === 'mode') {
    ({ mode, ownErrors } = question);
    firstRefusalMs = 0;
    return 0;
  }
  ownErrors = question.ownErrors ?? 0;
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(question.port, '127.0.0.1', resolve);
  });
  return (http.address() as AddressInfo).port;
});
