import { afterAll, beforeAll, expect, it } from 'vitest';
import { MUTANTS } from './mutants.js';
import { makePlan } from './plan/make-plan.js';
import { TestPool } from './testing.js';

let pool: TestPool;
beforeAll(() => {
  pool = new TestPool();
});
afterAll(() => pool.close());

it.each(MUTANTS)('the simulation finds $name', async ({ name, changes, seed, focus }) => {
  const plan = makePlan(seed, { focus });
  expect((await pool.run(plan)).violation, 'without the fault').toBeNull();
  expect((await pool.run(plan, { name, changes })).violation).not.toBeNull();
});
