import { say } from '../framework/context.js';
import { ratioSpread } from '../framework/figures.js';
import { row, type Goal, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { type Proxy, startHaproxy, startNginx, startNodeProgram, startRouter } from './contestants.js';
import { measureProxy } from './measure.js';
import type { RouterBenchWorld } from './world.js';

const ROUTER = 'router';
const NGINX = 'nginx';
const NGINX_JSON = 'nginx with a JSON access log';
const HAPROXY = 'HAProxy';
const NODE_HTTP = 'node-http';
const FASTIFY = 'fastify-http-proxy';
const HTTP_PROXY = 'http-proxy';
const GOALS: Readonly<Record<string, Goal>> = { [NGINX]: { atMost: 2.3 }, [NGINX_JSON]: { atMost: 2 } };

/** A prediction of usual size at saturation, through everybody. */
export async function star(
  world: RouterBenchWorld,
  has: { readonly hasNginx: boolean; readonly hasHaproxy: boolean },
): Promise<Section> {
  const { context } = world;
  const { rounds, warmUps, seconds } = context.options;
  const port = await world.modelServer();
  const proxies: Proxy[] = [];
  try {
    if (has.hasNginx) {
      proxies.push(await startNginx(NGINX, 'off', port, context));
      proxies.push(await startNginx(NGINX_JSON, 'json', port, context));
    }
    if (has.hasHaproxy) proxies.push(await startHaproxy(port, context));
    proxies.push(await startRouter({ name: ROUTER, env: world.routerEnv }, context));
    for (const name of [NODE_HTTP, FASTIFY, HTTP_PROXY] as const)
      proxies.push(await startNodeProgram(name, port, context));
    const samples = await inTurns(proxies, { rounds, warmUps }, (proxy) => {
      say(`  ${proxy.name} ...`);
      return measureProxy(proxy, { seconds, guard: context.guard });
    });
    const cpuUs = (name: string): readonly number[] => samples.get(name)?.map((sample) => sample.cpuUs) ?? [];
    const all = [NGINX, NGINX_JSON, HAPROXY, NODE_HTTP, ROUTER, FASTIFY, HTTP_PROXY];
    return {
      title: 'Router: CPU per prediction, 700 bytes in, 300 out, 64 connections, as many as go, outcomes on',
      rows: [
        ...all.map((name) => row(name, cpuUs(name), 'us')),
        ...all
          .filter((name) => name !== ROUTER)
          .map((name) => row(`router / ${name}`, ratioSpread(cpuUs(ROUTER), cpuUs(name)), '', GOALS[name])),
        row(
          'router, predictions a second',
          samples.get(ROUTER)!.map((s) => s.requests / s.seconds),
          '',
        ),
      ],
      notes: [
        'node-http forwards nothing: it is node:http that answers by itself.',
        ...(has.hasNginx ? [] : ['nginx is not here (Debian: nginx-light).']),
        ...(has.hasHaproxy ? [] : ['HAProxy is not here (Debian: haproxy).']),
      ],
    };
  } finally {
    await Promise.all(proxies.map(({ program }) => program.stop()));
  }
}
