import { ratioSpread } from '../framework/figures.js';
import { row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { startRouter } from './contestants.js';
import { usersOf, type RouterBenchWorld } from './world.js';
import { runWrk, type WrkFigures } from './wrk.js';

const STABLE_DELAY_MS = 5;
const CANARY_DELAY_MS = 2_000;
const CAP = 8;
/** Enough to keep the canary at its cap, or busy without one. */
const CANARY_CONNECTIONS = 32;
const CANARY_PER_SECOND = 200;
const STABLE_PER_SECOND = 500;
const USERS = 200;
const GOAL_P99 = 1.05;

/** Whether users of stable notice that the canary answers nothing and is full, beside the same users with a quick one. */
export async function cappedCanary(world: RouterBenchWorld): Promise<Section> {
  const { context } = world;
  const { rounds, warmUps, seconds } = context.options;
  const stablePort = await world.modelServer({ delayMs: STABLE_DELAY_MS });
  const slowPort = await world.modelServer({ delayMs: CANARY_DELAY_MS });
  await world.publish({ model: 'quick', stablePort, canaryPort: stablePort });
  await world.publish({ model: 'slow', stablePort, canaryPort: slowPort, canaryConcurrencyMax: CAP });
  const { port, program } = await startRouter({ name: 'router', env: world.routerEnv }, context);
  const stableUsers = async ({ name }: { readonly name: string }): Promise<WrkFigures> => {
    const common = { port, model: name, guard: context.guard };
    const canarys = runWrk({
      ...common,
      users: usersOf(name, 'canary', USERS),
      connections: CANARY_CONNECTIONS,
      perSecond: CANARY_PER_SECOND,
      // It begins before and ends after.
      seconds: seconds + 2,
      mayFail: true,
    });
    const users = usersOf(name, 'stable', USERS);
    const stables = runWrk({ ...common, users, connections: 16, perSecond: STABLE_PER_SECOND, seconds: seconds + 1 });
    const [figures] = await Promise.all([stables, canarys]);
    return figures;
  };
  try {
    const models = [{ name: 'quick' }, { name: 'slow' }];
    const samples = await inTurns(models, { rounds, warmUps }, stableUsers);
    const p99Ms = (name: string): readonly number[] => samples.get(name)!.map(({ p99Us }) => p99Us / 1000);
    return {
      title: `Router: stable's users while the canary takes ${CANARY_DELAY_MS / 1000} s and is at its cap of ${CAP}`,
      rows: [
        row('p99 beside a quick canary', p99Ms('quick'), 'ms'),
        row('p99 beside a canary at its cap', p99Ms('slow'), 'ms'),
        row('p99, at its cap / quick', ratioSpread(p99Ms('slow'), p99Ms('quick')), '', { atMost: GOAL_P99 }),
      ],
    };
  } finally {
    await program.stop();
  }
}
