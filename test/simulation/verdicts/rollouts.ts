import type { RolloutEnd, RolloutRun } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { runRollout } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { rolloutSpec, traffic } from './scenarios.js';
import type { Run, RunFigures } from './study.js';

export const PER_SECOND = 500;
/** History of 12,500 predictions, but not more than ten minutes. */
export const beforeS = (perSecond: number): number => Math.min(600, 12_500 / perSecond);

/** A rollout of section 9, but for the changes. */
export function rollOut({ seed, throughSlots }: Run, changes: Omit<Partial<RolloutRun>, 'seed'>): RolloutEnd {
  return runRollout({
    spec: rolloutSpec(),
    traffic: traffic(PER_SECOND),
    beforeS: beforeS(PER_SECOND),
    longestS: 900,
    ...changes,
    seed,
    throughSlots,
  });
}

export function figures(end: RolloutEnd, faultAtS = 0): RunFigures {
  return {
    promoted: end.end === 'promoted' ? 1 : 0,
    failed: end.end === 'rolled-back' ? 1 : 0,
    atS: end.atS,
    afterS: end.atS - faultAtS,
    canarySent: end.canarySent,
    counted: end.counted,
    compared: end.compared,
    differing: end.differing,
  };
}
