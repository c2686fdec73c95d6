import type { Plan } from './plan.js';

export interface Shrunk {
  readonly plan: Plan;
  /** Plans that were tried. */
  readonly runs: number;
}

/**
 * The smallest plan found that still fails in the same way: fewer faults, fewer models, fewer machines. Greedy, since a
 * run is cheap: drops large parts first and then single ones until nothing can be dropped any more.
 *
 * @param fails whether a plan still does; asked at most `runsMax` times.
 */
export async function shrink(plan: Plan, fails: (plan: Plan) => Promise<boolean>, runsMax = 150): Promise<Shrunk> {
  let smallest = plan;
  let runs = 0;
  const attempt = async (candidate: Plan): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs++;
    if (!(await fails(candidate))) return false;
    smallest = candidate;
    return true;
  };
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.faults.length;) {
      const faults = smallest.faults.filter((_, i) => i < at || i >= at + size);
      if (!(await attempt({ ...smallest, faults }))) at += size;
    }
  }
  for (const { model } of plan.models)
    if (smallest.models.length > 1)
      await attempt({ ...smallest, models: smallest.models.filter((m) => m.model !== model) });
  for (const part of ['routers', 'evaluators', 'controllers', 'dataPartitions', 'controlPartitions'] as const)
    while (smallest.shape[part] > 1)
      if (!(await attempt({ ...smallest, shape: { ...smallest.shape, [part]: smallest.shape[part] - 1 } }))) break;
  return { plan: smallest, runs };
}
