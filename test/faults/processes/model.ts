import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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
  | { readonly kind: 'first-refusal' }
  /** How many predictions it was asked. */
  | { readonly kind: 'asked' }
  /** How many connections it has over which predictions came: probes are others'. */
  | { readonly kind: 'connections' };

const ANSWER = JSON.stringify({
  outputs: [{ name: 'class', datatype: 'INT64', shape: [1], data: [3] }],
  filling: 'x'.repeat(200),
});
const DRIP_MS = 1_000;

const random = seededRandom(1);
let mode: ModelMode = 'ok';
let ownErrors = 0;
let firstRefusalMs = 0;
let asked = 0;
const connections = new Set<Socket>();

const http = createServer((request, response) => {
  request.resume();
  if (request.method === 'POST') notePrediction(request.socket);
  // Longer than anybody waits.
  if (request.url!.endsWith('/infer/slow')) return;
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
  switch (question.kind) {
    case 'listen':
      ownErrors = question.ownErrors ?? 0;
      return listen(question.port);
    case 'mode':
      ({ mode, ownErrors } = question);
      firstRefusalMs = 0;
      return 0;
    case 'first-refusal':
      return firstRefusalMs;
    case 'asked':
      return asked;
    case 'connections':
      return connections.size;
  }
});

async function listen(port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, '127.0.0.1', resolve);
  });
  return (http.address() as AddressInfo).port;
}

function notePrediction(socket: Socket): void {
  asked++;
  if (connections.has(socket)) return;
  connections.add(socket);
  socket.once('close', () => connections.delete(socket));
}
