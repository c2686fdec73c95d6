import { differenceSpread } from '../framework/figures.js';
import { row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { type Proxy, startNginx, startRouter } from './contestants.js';
import { measureProxy } from './measure.js';
import type { RouterBenchWorld } from './world.js';

const PER_SECOND = 2_000;
const GOAL_US = 80;

/** What the router adds to the latency that predictions have through nginx, at a rate that leaves both at ease. */
export async function addedLatency(
  world: RouterBenchWorld,
  { hasNginx }: { readonly hasNginx: boolean },
): Promise<Section> {
  const { context } = world;
  const { rounds, warmUps, seconds } = context.options;
  const proxies: Proxy[] = [];
  try {
    if (hasNginx) proxies.push(await startNginx('nginx', 'off', await world.modelServer(), context));
    proxies.push(await startRouter({ name: 'router', env: world.routerEnv }, context));
    const samples = await inTurns(proxies, { rounds, warmUps }, (proxy) =>
      measureProxy(proxy, { perSecond: PER_SECOND, seconds, guard: context.guard }),
    );
    const p50Us = (name: string): readonly number[] => samples.get(name)?.map((sample) => sample.p50Us) ?? [];
    const p99Us = (name: string): readonly number[] => samples.get(name)?.map((sample) => sample.p99Us) ?? [];
    return {
      title: `Router: latency at ${PER_SECOND.toLocaleString('en-US')} predictions a second, as the client sees it`,
      rows: [
        row('p50 through nginx', p50Us('nginx'), 'us'),
        row('p50 through the router', p50Us('router'), 'us'),
        row('p50 more than nginx', differenceSpread(p50Us('router'), p50Us('nginx')), 'us', { atMost: GOAL_US }),
        row('p99 through nginx', p99Us('nginx'), 'us'),
        row('p99 through the router', p99Us('router'), 'us'),
        row(
          'CPU per prediction',
          samples.get('router')!.map((sample) => sample.cpuUs),
          'us',
        ),
      ],
    };
  } finally {
    await Promise.all(proxies.map(({ program }) => program.stop()));
  }
}
