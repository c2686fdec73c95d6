import type { CheckResult } from '@app/shared';
import { clip, finite, type GroupedCheck, type Levels } from './check-results.js';
import type { CustomLook } from './custom-look.js';
import type { RolloutEvidence } from './rollout-evidence.js';
import type { WorstSegment } from './segment-looks.js';

/** What only some rollouts watch: custom means, and of each check inside segments the one that says most. */
export function optionalResults(evidence: RolloutEvidence, step: number, levels: Levels): readonly GroupedCheck[] {
  const { custom, segments } = evidence.optional;
  return [
    ...custom.map((look) => customResult(look, step, levels)),
    ...(segments?.worst() ?? []).map((worst) => segmentResult(evidence, worst, levels)),
  ];
}

function customResult(look: CustomLook, step: number, levels: Levels): GroupedCheck {
  const [stable, canary] = look.arms;
  const sign = look.spec.worse === 'higher' ? 1 : -1;
  const lnFail = look.lnFail();
  const lnPass = look.lnPass(step);
  const result = canary.n === 0 ? 'no-data' : decided(lnFail, lnPass, levels);
  // In the direction of worse, as the limit is.
  const interval = inDirection(look.interval(), sign);
  const figures: CheckResult = {
    check: look.check,
    gating: true,
    stable: { n: stable.n, bad: 0, value: stable.mean() },
    canary: { n: canary.n, bad: 0, value: canary.mean() },
    difference: look.difference()?.delta ?? null,
    interval: inDirection(clip(interval, look.spec.limit, result), sign),
    limit: sign * look.spec.limit,
    unit: 'number',
    evidence: { fail: finite(lnFail), pass: finite(lnPass) },
    result,
    predictionsToGo: look.valuesToGo(step, levels.lnPass),
  };
  return { group: 'accuracy', figures };
}

/** Errors and accuracy as over all traffic; of latency the shares that are slower than the thresholds of all traffic. */
function segmentResult(evidence: RolloutEvidence, worst: WorstSegment, levels: Levels): GroupedCheck {
  const { check, group, look, segment } = worst;
  const { errors, accuracy } = evidence.checks;
  const limit = group === 'errors' ? errors!.maxIncrease : group === 'accuracy' ? accuracy!.maxDrop : 0;
  const sign = group === 'accuracy' ? -1 : 1;
  const { n1, x1, n0, x0 } = look;
  const lnFail = look.lnFail();
  const difference = look.difference.value();
  const interval = look.difference.interval({ n1, x1, n0, x0 }, look.stickiness.d, limit || LATENCY_SCALE);
  const value = (n: number, x: number): number | null => (n === 0 ? null : group === 'accuracy' ? 1 - x / n : x / n);
  const figures: CheckResult = {
    check,
    segment,
    gating: false,
    stable: { n: n0, bad: x0, value: value(n0, x0) },
    canary: { n: n1, bad: x1, value: value(n1, x1) },
    difference: difference === null ? null : sign * difference,
    interval: inDirection(interval, sign),
    limit: sign * limit,
    unit: 'fraction',
    evidence: { fail: finite(lnFail), pass: null },
    result: lnFail >= levels.lnFail ? 'fail' : 'continue',
    predictionsToGo: null,
  };
  return { group, figures };
}

/** Difference of the shares of slow ones for which their interval is sharpest. */
const LATENCY_SCALE = 0.02;

/**
 * Drift of the predictions: the kind that has changed most. It decides nothing by itself, so it is no part of a group;
 * empty where it is not watched.
 */
export function driftResults({ optional }: RolloutEvidence, allowance: number): readonly CheckResult[] {
  const { drift } = optional;
  if (!drift) return [];
  const { n1, x1, n0, x0 } = drift.worst() ?? { n1: 0, x1: 0, n0: 0, x0: 0 };
  const [canary, stable] = [share(n1, x1), share(n0, x0)];
  const p = stable ?? 0;
  return [
    {
      check: 'predictionDrift',
      gating: false,
      stable: { n: n0, bad: x0, value: stable },
      canary: { n: n1, bad: x1, value: canary },
      difference: stable === null || canary === null ? null : canary - stable,
      interval: null,
      // How far odds that are higher by the allowance would move this share.
      limit: ((1 + allowance) * p) / (1 + allowance * p) - p,
      unit: 'fraction',
      evidence: { fail: finite(drift.lnE()), pass: null },
      result: n1 === 0 ? 'no-data' : 'continue',
      predictionsToGo: null,
    },
  ];
}

function decided(lnFail: number, lnPass: number, levels: Levels): CheckResult['result'] {
  return lnFail >= levels.lnFail ? 'fail' : lnPass >= levels.lnPass ? 'pass' : 'continue';
}

function inDirection(interval: [number, number] | null, sign: number): [number, number] | null {
  return interval && (sign > 0 ? interval : [-interval[1], -interval[0]]);
}

const share = (n: number, x: number): number | null => (n === 0 ? null : x / n);
