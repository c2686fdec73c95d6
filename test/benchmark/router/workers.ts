import { ratioSpread } from '../framework/figures.js';
import { row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { type Proxy, startRouter } from './contestants.js';
import { measureProxy } from './measure.js';
import type { RouterBenchWorld } from './world.js';

const GOAL_RATIO = 1.1;

/** One process, and two workers that share the port. Both may use all cores, as those who send and answer do. */
export async function workers(world: RouterBenchWorld): Promise<Section> {
  const { context } = world;
  const { rounds, warmUps, seconds } = context.options;
  const start = (name: string, count: number): Promise<Proxy> =>
    startRouter({ name, env: { ...world.routerEnv, ROUTER_WORKERS: String(count) }, core: 'all' }, context);
  const routers: Proxy[] = [];
  try {
    routers.push(await start('one process', 1));
    routers.push(await start('two workers', 2));
    const samples = await inTurns(routers, { rounds, warmUps }, (proxy) =>
      measureProxy(proxy, { seconds, guard: context.guard }),
    );
    const cpuUs = (name: string): readonly number[] => samples.get(name)!.map((sample) => sample.cpuUs);
    return {
      title: 'Router: CPU per prediction with more workers, as many predictions as go',
      rows: [
        row('one process', cpuUs('one process'), 'us'),
        row('two workers', cpuUs('two workers'), 'us'),
        row('two workers / one process', ratioSpread(cpuUs('two workers'), cpuUs('one process')), '', { atMost: GOAL_RATIO }), // prettier-ignore
      ],
    };
  } finally {
    await Promise.all(routers.map(({ program }) => program.stop()));
  }
}
