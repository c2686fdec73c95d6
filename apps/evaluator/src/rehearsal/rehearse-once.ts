import type { RehearsalEnd, RehearsalRequest } from '@app/shared';
import { rehearsedSpec } from './rehearsed-spec.js';
import { trafficModelOf } from './rehearsed-traffic.js';
import { type RolloutEnd, runRollout } from './rollout-run.js';
import { seededRandom } from './seeded-random.js';
import { type StepRecord, StepWatch } from './step-watch.js';

/** How one rehearsed rollout went. */
export interface RunRecord {
  readonly end: RehearsalEnd;
  /** Since the rollout began. */
  readonly atMs: number;
  /** Code of the last verdict's reason. */
  readonly code: string;
  /** Of a rollback: the check with the most evidence, or the code of the reason where none decided. */
  readonly rolledBackBy: string | null;
  /** Predictions of the canary since the fault, or since the rollout began. */
  readonly canaryPredictions: number;
  readonly steps: readonly StepRecord[];
}

/** The history that thresholds and base rates are read from: 12,500 predictions, but ten minutes at most. */
const PREDICTIONS_BEFORE = 12_500;
const BEFORE_S_MAX = 600;
/** Users are drawn from seeds of their own. */
const USERS_SEED = 1_000_003;

/** Rehearses one rollout. The same request and seed give the same record. */
export function rehearseOnce(request: RehearsalRequest, seed: number): RunRecord {
  const { spec } = rehearsedSpec(request.spec);
  const watch = new StepWatch(spec);
  let rolledBackBy: string | null = null;
  const end = runRollout({
    spec,
    traffic: trafficModelOf(request, seededRandom(seed + USERS_SEED)),
    seed,
    beforeS: Math.min(BEFORE_S_MAX, PREDICTIONS_BEFORE / request.traffic.predictionsPerSecond),
    longestS: request.withinMs / 1000,
    faultAtS: (request.canary.deadAfterMs ?? 0) / 1000,
    watch: (judgement, atS) => {
      watch.hear(judgement, atS * 1000);
      if (judgement.result === 'fail') rolledBackBy = judgement.checks[0]?.check ?? judgement.reason.code;
    },
  });
  return {
    end: END[end.end],
    atMs: end.atS * 1000,
    code: end.code,
    rolledBackBy: end.end === 'rolled-back' ? (rolledBackBy ?? end.code) : null,
    canaryPredictions: end.canarySent,
    steps: watch.end(end.atS * 1000),
  };
}

const END: Readonly<Record<RolloutEnd['end'], RehearsalEnd>> = {
  promoted: 'promoted',
  'rolled-back': 'rolled-back',
  paused: 'paused',
  open: 'undecided',
};
