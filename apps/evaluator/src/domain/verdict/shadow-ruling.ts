import type { ShadowStep } from '@app/shared';
import type { RolloutPlan } from '../plan.js';
import type { GroupedCheck, Levels } from './check-results.js';
import type { ReasonCode } from './reason-text.js';
import type { RolloutEvidence } from './rollout-evidence.js';

/** What is known of a shadow step beside its checks. */
export interface ShadowStanding {
  readonly plan: RolloutPlan;
  readonly evidence: RolloutEvidence;
  readonly elapsedMs: number;
}

/** A pair is known after the longer deadline, some seconds for its way, and a stratum. */
const PAIRS_LATE_MS = 15_000;

export function shadowStepOf({ spec, step }: RolloutPlan): ShadowStep | null {
  const declared = spec.steps[step];
  return declared?.kind === 'shadow' ? declared : null;
}

/** What should be there by now and is not. */
export function shadowHold({ plan, evidence, elapsedMs }: ShadowStanding): ReasonCode | null {
  const { shadow } = evidence;
  const { stable, canary, checks } = plan.spec;
  if (!shadow) return null;
  if (evidence.traffic.silence({ canary: 0, stable: 1 }) !== 'none') return 'no-traffic';
  const answersMs = Math.max(stable.deadlineMs, canary?.deadlineMs ?? 0) + PAIRS_LATE_MS;
  if (shadow.pairs === 0 && elapsedMs > 2 * answersMs) return 'no-copies';
  const { accuracy } = shadow;
  const labelsMs = Math.max(answersMs, 2 * (checks.accuracy?.labelsWithinMs ?? 0));
  const answered = shadow.pairs - shadow.canaryFailed;
  if (accuracy && accuracy.n === 0 && answered > 0 && elapsedMs > labelsMs + PAIRS_LATE_MS) return 'no-labels';
  return null;
}

/** What a pass of the shadow step still waits for. */
export function shadowWait(
  { evidence, elapsedMs }: ShadowStanding,
  step: ShadowStep,
  checks: readonly GroupedCheck[],
  levels: Levels,
): ReasonCode | null {
  const { canary } = evidence.progress;
  if (canary === 0 || canary < step.atLeast.predictions) return 'min-predictions';
  if (elapsedMs < step.atLeast.durationMs) return 'min-duration';
  const missing = checks.filter(
    ({ figures }) => figures.gating && !((figures.evidence.pass ?? -Infinity) >= levels.lnPass),
  );
  if (missing.length === 0) return null;
  const onlyLabels = missing.every(
    ({ figures }) => figures.check === 'shadow.accuracy' && figures.result === 'no-data',
  );
  return onlyLabels ? 'labels-maturing' : 'evidence-growing';
}

const FAIL_CODES: Readonly<Record<string, ReasonCode>> = {
  'shadow.errorRate': 'shadow-errors-too-many',
  'shadow.agreement': 'shadow-agreement-too-low',
  'shadow.accuracy': 'shadow-accuracy-too-low',
};

/** Of a check on copies; undefined for all others. */
export function shadowFailCode(check: string): ReasonCode | undefined {
  return FAIL_CODES[check];
}
