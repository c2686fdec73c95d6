import type { Plan } from './plan/plan.js';
import { Pool } from './pool.js';
import type { RunResult } from './run.js';
import type { Task } from './worker.js';

/** As build-simulation.ts has built it: the services come as the compiler makes them. */
const BUILT_WORKER = new URL('../../../dist/test/simulation/system/worker.js', import.meta.url);

/** One worker of a test file's own. */
export class TestPool {
  private readonly pool = new Pool(1, BUILT_WORKER);

  async run(plan: Plan, mutant?: Task['mutant']): Promise<RunResult> {
    return (await this.pool.run({ plan, print: false, ...(mutant ? { mutant } : {}) })).result;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}
