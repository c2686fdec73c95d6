import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';

/** How a fake behaves; may be changed while it serves. */
export interface Behaviour {
  /** Share of the requests answered with 500, 0..1. */
  errorRate: number;
  /** Before an answer. */
  latencyMs: number;
  /** Share of the answers that are right, 0..1. */
  accuracy: number;
  /** Mean of the score that every answer carries, between 0.1 and 0.9. */
  score: number;
  /** As errorRate, of requests from one country. */
  errorRateIn: Readonly<Record<string, number>>;
  ready: boolean;
}

export const COUNTRY_HEADER = 'x-country';

const GOOD: Behaviour = { errorRate: 0, latencyMs: 1, accuracy: 0.95, score: 0.7, errorRateIn: {}, ready: true };

/**
 * A version of a model that is told the truth in its input and answers with it, mostly: the Open Inference Protocol as
 * far as the stories need it. What it gets wrong depends on its seed alone.
 */
export class ModelServerFake {
  readonly behaviour: Behaviour;
  url = '';
  private readonly random: Random;
  private readonly server = createServer((request, response) => {
    const country = String(request.headers[COUNTRY_HEADER] ?? '');
    void text(request).then((body) => this.answer(request.url ?? '', { body, country }, response));
  });

  constructor(seed: number, behaviour: Partial<Behaviour> = {}) {
    this.random = seededRandom(seed);
    this.behaviour = { ...GOOD, ...behaviour };
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

  private async answer(
    path: string,
    { body, country }: { readonly body: string; readonly country: string },
    response: ServerResponse,
  ): Promise<void> {
    const { errorRate, errorRateIn, latencyMs, accuracy, score, ready } = this.behaviour;
    if (!path.endsWith('/infer')) return send(response, ready ? 200 : 503, {});
    const failed = this.random() < (errorRateIn[country] ?? errorRate);
    const right = this.random() < accuracy;
    if (latencyMs > 0) await sleep(latencyMs);
    if (failed) return send(response, 500, { error: 'the fake was told to fail' });
    const truth = (JSON.parse(body) as { inputs: [{ data: [number] }] }).inputs[0].data[0];
    const digit = right ? truth : (truth + 1) % 10;
    const parameters = { score: score + 0.2 * (this.random() - 0.5) };
    send(response, 200, { parameters, outputs: [{ name: 'digit', datatype: 'INT64', shape: [1], data: [digit] }] });
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
