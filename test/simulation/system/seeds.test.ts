import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan } from './plan/make-plan.js';
import { TestPool } from './testing.js';

const SEEDS = 60;
const BUNCH = 20;
const SMALL_SEEDS = 100;
/** Schedules that once found something. */
const ONCE_FAILED = [525, 542, 674, 698, 823, 1187, 1446, 2911, 4415];

let pool: TestPool;
beforeAll(() => {
  pool = new TestPool();
});
afterAll(() => pool.close());

describe('routers, evaluators and controllers under seeded faults', () => {
  it('a seed is one history, whatever ran before it', async () => {
    const once = await pool.run(makePlan(7));
    await pool.run(makePlan(8));
    const twice = await pool.run(makePlan(7));
    expect(twice).toEqual(once);
    expect((await pool.run(makePlan(9))).digest).not.toBe(once.digest);
  });

  it.each(Array.from({ length: SEEDS / BUNCH }, (_, i) => 1 + i * BUNCH))(
    `hold every invariant in ${BUNCH} schedules from seed %i on`,
    async (from) => {
      for (let seed = from; seed < from + BUNCH; seed++) {
        const { violation } = await pool.run(makePlan(seed));
        expect(violation, `npm run test:simulation -- --seed ${seed} --trace`).toBeNull();
      }
    },
  );

  it(`hold every invariant in ${SMALL_SEEDS} small schedules`, async () => {
    for (let seed = 1; seed <= SMALL_SEEDS; seed++) {
      const { violation } = await pool.run(makePlan(seed, { size: 'small' }));
      expect(violation, `npm run test:simulation -- --seed ${seed} --small --trace`).toBeNull();
    }
  });

  it.each(ONCE_FAILED)('hold every invariant in schedule %i, where one was once broken', async (seed) => {
    expect((await pool.run(makePlan(seed))).violation).toBeNull();
  });
});
