import { join } from 'node:path';
import type { Guard } from '../../../deploy/local/guard.js';
import { freePort } from '../../../deploy/local/ports.js';
import { Program } from '../framework/program.js';
import type { Contestant } from '../framework/rounds.js';
import { haproxyArgs } from './haproxy.js';
import { nginxArgs } from './nginx.js';

/** A proxy in front of a model server. */
export interface Proxy extends Contestant {
  readonly port: number;
  readonly program: Program;
}

/** Where the parts of a benchmark run, so that the proxy has a core to itself. */
export const PROXY_CORE = 1;
export const OTHERS_CORE = 0;

export interface Place {
  /** For files of theirs; removed with the benchmark. */
  readonly folder: string;
  readonly guard: Guard;
}

const built = (name: string): string => join(import.meta.dirname, `${name}.js`);

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
  const program = await Program.start({ command, args: argsFor(port), port, core: PROXY_CORE, guard });
  return { name, port, program };
}

export function startNginx(name: string, log: 'off' | 'json', upstreamPort: number, place: Place): Promise<Proxy> {
  const folder = join(place.folder, name.replaceAll(' ', '-'));
  return startProxy(name, place, 'nginx', (port) => nginxArgs({ folder, port, upstreamPort, log }));
}

export function startHaproxy(upstreamPort: number, place: Place): Promise<Proxy> {
  const folder = join(place.folder, 'haproxy');
  return startProxy('haproxy', place, 'haproxy', (port) => haproxyArgs({ folder, port, upstreamPort }));
}

/** One of the proxies of this folder that are programs of Node. */
export function startNodeProxy(
  name: 'fastify-http-proxy' | 'http-proxy',
  upstreamPort: number,
  place: Place,
): Promise<Proxy> {
  return startProxy(name, place, process.execPath, (port) => [
    built(name),
    String(port),
    `http://127.0.0.1:${upstreamPort}`,
  ]);
}

/** The built router. `env`: what differs from its defaults. */
export function startRouter(name: string, env: Readonly<Record<string, string>>, place: Place): Promise<Proxy> {
  return startRouterOn(PROXY_CORE, name, env, place);
}

/** As startRouter; undefined: on all cores. */
export async function startRouterOn(
  core: number | undefined,
  name: string,
  env: Readonly<Record<string, string>>,
  { folder, guard }: Place,
): Promise<Proxy> {
  const port = await freePort();
  const main = join(import.meta.dirname, '..', '..', '..', 'apps', 'router', 'src', 'main.js');
  const program = await Program.start({
    command: process.execPath,
    args: [...(process.env.ROUTER_NODE_OPTIONS?.split(' ') ?? []), main],
    env: {
      HTTP_PORT: String(port),
      LOG_LEVEL: 'warn',
      PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 7).toString('base64')}`,
      ROUTER_DATA_DIR: join(folder, name.replaceAll(' ', '-')),
      ...env,
    },
    port,
    core,
    guard,
  });
  return { name, port, program };
}
