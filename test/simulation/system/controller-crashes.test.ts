import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runs } from '../../fixtures/thorough.js';
import type { Plan } from './plan/plan.js';
import type { RunResult } from './run.js';
import { TestPool } from './testing.js';
import type { Fault } from './world/faults.js';

/** Registered, started, 25 %, a person approves, 50 %, 100 %, promoted, undone: every kind of transition. */
const PLAN: Plan = {
  seed: 4,
  shape: { dataPartitions: 1, controlPartitions: 1, routers: 1, evaluators: 1, controllers: 1 },
  judge: 'counting',
  models: [{ model: 'model-0', story: 'approved', rate: 40, users: 50, applyMs: 900 }],
  faults: [],
};
const TWO: Plan = { ...PLAN, shape: { ...PLAN.shape, controllers: 2 } };
/** All machines are up by then. */
const FROM_MS = 350;
/** Each await in full; in a hurry every third. */
const EACH_AWAIT = runs(1, 3);

let pool: TestPool;
let undisturbed: RunResult;
beforeAll(async () => {
  pool = new TestPool();
  undisturbed = await pool.run(PLAN);
});
afterAll(() => pool.close());

/** What was done, without what a disturbance adds to it: that it was noticed. */
const history = ({ decisions }: RunResult): readonly string[] =>
  decisions.filter((line) => !/ (held|released) /.test(line));

async function expectTheSame(plan: Plan, faults: readonly Fault[]): Promise<void> {
  const result = await pool.run({ ...plan, faults });
  expect(result.violation, JSON.stringify(faults)).toBeNull();
  expect(history(result), JSON.stringify(faults)).toEqual(history(undisturbed));
}

const everyStep = (of: number, by: number): number[] => Array.from({ length: Math.floor(of / by) }, (_, i) => i * by);

describe('whatever happens to a controller in the middle of a transition, the history is the same', () => {
  it('kill -9 at any of its awaits', async () => {
    const steps = undisturbed.stepsOf['controller-0#1']!;
    expect(steps).toBeGreaterThan(60);
    for (const afterSteps of everyStep(steps, EACH_AWAIT))
      await expectTheSame(PLAN, [{ atMs: FROM_MS, kind: 'crash', machine: 'controller-0', afterSteps, downMs: 100 }]);
  });

  it('stopped at an await for as long as another one takes over, and then continued', async () => {
    const steps = undisturbed.stepsOf['controller-0#1']!;
    for (const afterSteps of everyStep(steps, 4))
      for (const machine of ['controller-0', 'controller-1'])
        await expectTheSame(TWO, [{ atMs: FROM_MS, kind: 'pause', machine, afterSteps, forMs: 9_000 }]);
  });

  it.each(['refused', 'silent'] as const)('cut off from the others (%s) while they take over', async (cut) => {
    for (const atMs of everyStep(4_000, 500).map((ms) => FROM_MS + ms))
      for (const machine of ['controller-0', 'controller-1'])
        await expectTheSame(TWO, [{ atMs, kind: 'network', machine, server: 'bus', forMs: 8_000, cut }]);
  });

  it.each([60_000, -60_000])('a clock that jumps by %i ms and back', async (byMs) => {
    for (const atMs of everyStep(3_000, 500).map((ms) => FROM_MS + ms))
      await expectTheSame(PLAN, [{ atMs, kind: 'clock', machine: 'controller-0', forMs: 2_000, byMs }]);
  });

  it('timers that fire late, or twice', async () => {
    for (const lateByMs of [0, 50, 400, 3_000])
      await expectTheSame(PLAN, [
        { atMs: FROM_MS, kind: 'timers', machine: 'controller-0', forMs: 20_000, lateByMs, doubled: true },
      ]);
  });
});
