import { say } from '../framework/context.js';
import { spreadOf } from '../framework/figures.js';
import { row, type Row, type Section } from '../framework/report.js';
import { residentMib } from '../process-usage.js';
import { type Proxy, startRouter } from './contestants.js';
import { measureProxy } from './measure.js';
import type { RouterBenchWorld } from './world.js';

const PER_SECOND = 5_000;
const AWAY_PER_SECOND = 1_000;
const GOAL_MIB = 120;
/** V8's young generation grows to its full size at first: only what comes after that tells of a leak. */
const WARM_UP_SLICES = 3;
const SLICES = 6;
const AWAY_SLICES = 4;
/** Highest to lowest of what should be flat. */
const GOAL_FLAT = 1.1;

/** Resident memory under load, and while outcomes go to disk because Kafka is away. */
export async function routerMemory(world: RouterBenchWorld): Promise<Section> {
  const { context } = world;
  const { seconds, short } = context.options;
  const slice = async (router: Proxy, perSecond: number): Promise<number> => {
    await measureProxy(router, { perSecond, seconds, guard: context.guard });
    const mib = residentMib(router.program.pid);
    say(`  ${mib.toFixed(0)} MiB`);
    return mib;
  };
  const slices = async (router: Proxy, perSecond: number, count: number): Promise<readonly number[]> => {
    const samples: number[] = [];
    for (let i = 0; i < (short ? 1 : count); i++) samples.push(await slice(router, perSecond));
    return samples;
  };
  const router = await startRouter({ name: 'router', env: world.routerEnv }, context);
  try {
    await slices(router, PER_SECOND, WARM_UP_SLICES);
    const rows = memoryRows(`${PER_SECOND.toLocaleString('en-US')} predictions/s`, await slices(router, PER_SECOND, SLICES), GOAL_MIB); // prettier-ignore
    if (!world.kafka)
      return { title: TITLE, rows, notes: ['Kafka is not ours to stop: memory without it is left out.'] };
    say('  Kafka stopped ...');
    await world.kafka.signal('SIGSTOP');
    try {
      const away = await slices(router, AWAY_PER_SECOND, AWAY_SLICES);
      rows.push(...memoryRows('Kafka away, outcomes to disk', away));
    } finally {
      await world.kafka.signal('SIGCONT');
    }
    return { title: TITLE, rows };
  } finally {
    await router.program.stop();
  }
}

const TITLE = 'Router: resident memory';

function memoryRows(what: string, samples: readonly number[], goalMib?: number): Row[] {
  const { min, max } = spreadOf(samples);
  return [
    row(what, samples, 'MiB', goalMib === undefined ? undefined : { atMost: goalMib }),
    row(`${what}: highest / lowest`, [max / min], '', { atMost: GOAL_FLAT }),
  ];
}
