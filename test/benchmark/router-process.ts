import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../deploy/local/ports.js';
import { KafkaBus, type RolloutState, createTopicsFor, rolloutStateCodec, silentLogger, topicNames } from '@app/shared';

/** A model server in this process that answers everything with the same 300 bytes of JSON. */
export async function startModelServer(): Promise<{ url: string; server: Server }> {
  const body = Buffer.from(JSON.stringify({ outputs: [{ data: [7] }], filling: 'x'.repeat(250) }));
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(body.length)]);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** Creates the topics and gives model `digits` a stable and a canary at 10 %. */
export async function publishWeights(brokers: string, url: string): Promise<void> {
  const topics = topicNames();
  const bus = new KafkaBus({ brokers: brokers.split(','), clientId: 'benchmark', logger: silentLogger });
  await createTopicsFor(bus, topics);
  const version = (index: number) => ({ index, url, deadlineMs: 10_000, maxConcurrency: 1024 });
  const state: RolloutState = {
    schemaVersion: 1,
    model: 'digits',
    sequence: 1,
    generation: 1,
    updatedAt: 0,
    salt: 'digits-1',
    stable: 'v1',
    canary: 'v2',
    weights: { v1: 0.9, v2: 0.1 },
    versions: { v1: version(1), v2: version(2) },
    prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
    rolloutCount: 1,
    versionIndexMax: 2,
    versionIndexes: { v1: 1, v2: 2 },
    decisions: [],
    commands: [],
  };
  await bus.producer().send([{ topic: topics.state, key: state.model, value: rolloutStateCodec.encode(state) }]);
  await bus.close();
}

/** The built router as a process of its own, as it is run in production. The working directory is the repository's. */
export class RouterProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(
    env: Readonly<Record<string, string>>,
    nodeOptions: readonly string[] = [],
  ): Promise<RouterProcess> {
    const main = join(process.cwd(), 'dist', 'services', 'router', 'main.js');
    const port = await freePort();
    const child = spawn(process.execPath, [...nodeOptions, main], {
      env: { PATH: process.env.PATH, HTTP_PORT: String(port), LOG_LEVEL: 'error', NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    process.once('exit', () => child.kill('SIGKILL'));
    const router = new RouterProcess(child, `http://127.0.0.1:${port}`);
    await router.ready();
    return router;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** The sum of a metric over all its series. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /** Ends it; resolves with the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const gone = once(this.child, 'exit');
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    this.child.kill(signal);
    await gone;
    return this.child.exitCode;
  }

  private async ready(): Promise<void> {
    for (let i = 0; i < 800; i++) {
      if (this.child.exitCode !== null) throw new Error('the router did not start');
      const answer = await fetch(`${this.url}/health/ready`).catch(() => null);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('the router did not become ready');
  }
}
