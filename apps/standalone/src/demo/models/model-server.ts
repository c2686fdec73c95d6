import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PIXELS } from '../digits.js';
import type { DigitModel } from './versions.js';

export const MODEL = 'digits';

export interface ModelServer {
  readonly version: string;
  readonly url: string;
  close(): Promise<void>;
}

/** Serves one version over HTTP as a model server of its own would: the Open Inference Protocol, version 2. */
export async function serveModel(model: DigitModel): Promise<ModelServer> {
  const server = createServer((request, response) => {
    answer(model, request, response).catch((error: unknown) => {
      send(response, 500, { error: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { version: model.version, url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

async function answer(model: DigitModel, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  switch (`${request.method} ${request.url}`) {
    case 'GET /v2/health/live':
    case 'GET /v2/health/ready':
    case `GET /v2/models/${MODEL}/ready`:
      return send(response, 200, {});
    case `GET /v2/models/${MODEL}`:
      return send(response, 200, metadata(model));
    case `POST /v2/models/${MODEL}/infer`:
      return infer(model, body, response);
    default:
      return send(response, 404, { error: `there is no ${request.url}` });
  }
}

async function infer(model: DigitModel, body: string, response: ServerResponse): Promise<void> {
  const read = readInferRequest(body);
  if ('error' in read) return send(response, 400, read);
  const { digit, delayMs } = model.predict(read.pixels);
  await sleep(delayMs);
  send(response, 200, {
    model_name: MODEL,
    model_version: model.version,
    ...(read.id === undefined ? {} : { id: read.id }),
    outputs: [{ name: 'digit', datatype: 'INT64', shape: [1], data: [digit] }],
  });
}

interface InferRequest {
  readonly id?: string;
  readonly pixels: Float32Array;
}

/** Brightness comes as whole numbers 0..255, row by row. */
function readInferRequest(body: string): InferRequest | { readonly error: string } {
  try {
    const { id, inputs } = JSON.parse(body) as { id?: string; inputs?: { data?: number[] }[] };
    const data = inputs?.[0]?.data;
    if (data?.length !== PIXELS) return { error: `inputs[0].data: ${PIXELS} numbers are needed` };
    return { id, pixels: Float32Array.from(data, (brightness) => brightness / 255) };
  } catch (error) {
    return { error: `the body is not JSON: ${(error as Error).message}` };
  }
}

const metadata = (model: DigitModel) => ({
  name: MODEL,
  versions: [model.version],
  platform: model.description,
  inputs: [{ name: 'image', datatype: 'UINT8', shape: [1, PIXELS] }],
  outputs: [{ name: 'digit', datatype: 'INT64', shape: [1] }],
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
