import { hash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Behaviour {
  /** Share of the requests answered with 500. */
  readonly errorRate: number;
  /** Share of the answers that are right. */
  readonly accuracy: number;
  /** Before an answer. */
  readonly latencyMs: number;
}

/** What a client asks: the truth, and a number that no other question has. */
export interface Question {
  readonly truth: number;
  readonly nonce: number;
}

export const CLASSES = 10;

/**
 * A version of a model that is told the truth and answers with it, mostly. What becomes of a question depends on the
 * question and the version alone, not on the order in which questions come.
 */
export class ModelServer {
  url = '';
  private readonly server = createServer((request, response) => {
    void text(request).then(
      (body) => this.answer(request.url ?? '', body, response),
      () => response.destroy(), // the router went away in the middle of its question
    );
  });

  constructor(
    private readonly name: string,
    public behaviour: Behaviour,
  ) {
    this.server.keepAliveTimeout = 60_000;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(path: string, body: string, response: ServerResponse): Promise<void> {
    if (!path.endsWith('/infer')) return send(response, 200, {});
    const { truth, nonce } = readQuestion(body);
    const { errorRate, accuracy, latencyMs } = this.behaviour;
    if (latencyMs > 0) await sleep(latencyMs);
    const luck = hash('sha256', `${this.name} ${nonce}`, 'buffer');
    if (luck.readUInt32BE(0) / 2 ** 32 < errorRate) return send(response, 500, { error: 'told to fail' });
    const right = luck.readUInt32BE(4) / 2 ** 32 < accuracy;
    const data = [right ? truth : (truth + 1) % CLASSES];
    send(response, 200, { outputs: [{ name: 'class', datatype: 'INT64', shape: [1], data }] });
  }
}

export function questionBody({ truth, nonce }: Question): string {
  return JSON.stringify({ inputs: [{ name: 'x', datatype: 'INT64', shape: [2], data: [truth, nonce] }] });
}

function readQuestion(body: string): Question {
  const [truth, nonce] = (JSON.parse(body) as { inputs: [{ data: [number, number] }] }).inputs[0].data;
  return { truth, nonce };
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
