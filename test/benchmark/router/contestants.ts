import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guard } from '../../../deploy/local/guard.js';
import { freePort } from '../../../deploy/local/ports.js';
import { SERVICE_FLAGS } from '../../../deploy/local/service-flags.js';
import { Program } from '../framework/program.js';
import { MEASURED_CORE, OTHERS_CORE } from '../framework/cores.js';
import type { Named } from '../framework/rounds.js';
import { haproxyArgs } from './haproxy.js';
import { nginxArgs } from './nginx.js';

/** A proxy in front of a model server. */
export interface Proxy extends Named {
  readonly port: number;
  readonly program: Program;
}

export interface Place {
  /** For files; removed with the benchmark. */
  readonly folder: string;
  readonly guard: Guard;
}

const READY_MS_MAX = 30_000;
const SERVICE = join(import.meta.dirname, '..', '..', '..', 'services', 'router', 'main.js');

/** A program of this folder. */
export const built = (name: string): string => join(import.meta.dirname, `${name}.js`);

export interface ModelServerOptions {
  readonly delayMs?: number;
  readonly answerBytes?: number;
  readonly events?: number;
}

/** A model server as a process of its own; see model-server.ts. */
export async function startModelServer(
  options: ModelServerOptions,
  { guard }: Place,
): Promise<{ readonly port: number; readonly program: Program }> {
  const port = await freePort();
  const { delayMs = 0, answerBytes = 300, events = 0 } = options;
  const figures = ['--delay-ms', String(delayMs), '--answer-bytes', String(answerBytes), '--events', String(events)];
  const args = [built('model-server'), '--port', String(port), ...figures];
  const program = await Program.start({ command: process.execPath, args, port, core: OTHERS_CORE, guard });
  return { port, program };
}

async function startProxy(
  name: string,
  { guard }: Place,
  command: string,
  argsFor: (port: number) => readonly string[],
): Promise<Proxy> {
  const port = await freePort();
  const program = await Program.start({ command, args: argsFor(port), port, core: MEASURED_CORE, guard });
  return { name, port, program };
}

export function startNginx(name: string, log: 'off' | 'json', upstreamPort: number, place: Place): Promise<Proxy> {
  const folder = join(place.folder, name.replaceAll(' ', '-'));
  return startProxy(name, place, 'nginx', (port) => nginxArgs({ folder, port, upstreamPort, log }));
}

export function startHaproxy(upstreamPort: number, place: Place): Promise<Proxy> {
  const folder = join(place.folder, 'haproxy');
  return startProxy('HAProxy', place, 'haproxy', (port) => haproxyArgs({ folder, port, upstreamPort }));
}

/** One of the programs of Node in this folder: proxies, and what only answers. */
export function startNodeProgram(
  name: 'fastify-http-proxy' | 'http-proxy' | 'node-http',
  upstreamPort: number,
  place: Place,
): Promise<Proxy> {
  const upstream = `http://127.0.0.1:${upstreamPort}`;
  return startProxy(name, place, process.execPath, (port) => [built(name), String(port), upstream]);
}

export interface RouterOptions {
  readonly name: string;
  /** What differs from its defaults; brokers are a must. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: that of proxies. `all`: wherever there is room. */
  readonly core?: number | 'all';
  /** Its data directory; default: a new one. */
  readonly dataDir?: string;
  /** Besides those of production. */
  readonly nodeFlags?: readonly string[];
  /** Default: the service. */
  readonly main?: string;
}

/** The built router as production runs it; resolves when it is ready. */
export async function startRouter(options: RouterOptions, { folder, guard }: Place): Promise<Proxy> {
  const { name, env, core = MEASURED_CORE, nodeFlags = [], main = SERVICE } = options;
  const port = await freePort();
  const program = await Program.start({
    command: process.execPath,
    args: [...SERVICE_FLAGS.router, ...nodeFlags, main],
    env: {
      HTTP_PORT: String(port),
      LOG_LEVEL: 'warn',
      PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
      ROUTER_DATA_DIR: options.dataDir ?? join(folder, `${name.replaceAll(' ', '-')}-${port}`),
      ROUTER_DRAIN_DELAY_MS: '0',
      ...env,
    },
    port,
    core: core === 'all' ? undefined : core,
    guard,
  });
  await untilReady(port);
  return { name, port, program };
}

async function untilReady(port: number): Promise<void> {
  const giveUpAtMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (performance.now() > giveUpAtMs) throw new Error('the router did not become ready');
    await delay(5);
  }
}
