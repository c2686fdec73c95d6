import type { CheckResult } from '@app/shared';
import type { RolloutPlan } from '../plan.js';
import { count, percent, points } from './figures-text.js';
import type { RolloutEvidence } from './rollout-evidence.js';

/** Sentences on what only some rollouts watch. */

/** A number of the user's own: three digits of it. */
export function plainNumber(value: number): string {
  return Math.abs(value) >= 1_000 ? count(value) : String(Number(value.toPrecision(3)));
}

/** The mean of a custom check: both values, the difference with its interval, the limit. */
export function customText({ check, stable, canary, difference, interval, limit }: CheckResult): string {
  const name = check.replace('custom.', '');
  if (canary.value === null || stable?.value === null || !stable) return `${name} is not known yet`;
  const range = interval ? ` [${interval.map(signedNumber).join(', ')}]` : '';
  return `mean ${name} is ${plainNumber(canary.value)} (n ${count(canary.n)}) against ${plainNumber(stable.value)} (n ${count(stable.n)}), ${signedNumber(difference ?? 0)}${range}, limit ${signedNumber(limit)}`;
}

/** Latency inside a segment: the shares that are slower than the thresholds of all traffic. */
export function slowShareText({ check, segment, stable, canary }: CheckResult): string {
  const quantile = check.split('.')[1] ?? '';
  return `of ${segment}, ${percent(canary.value ?? 0)} of the canary's predictions (n ${count(canary.n)}) are slower than the ${quantile} limit, and ${percent(stable?.value ?? 0)} of stable's (n ${count(stable?.n ?? 0)}) than the ${quantile} itself`;
}

/** What is missing of the numbers that are to be compared. */
export function noValuesText({ optional }: RolloutEvidence): string {
  const missing = optional.custom.filter((look) => look.arms[1].n === 0);
  const told = missing.map(({ check, spec }) => {
    const where =
      spec.from === 'label' ? `labels hold no ${spec.source} in values` : `answers hold no number at ${spec.source}`;
    return `${check} is not known: of one version or both, ${where}`;
  });
  return told.join('; ');
}

/** What the canary predicts more or less often, and what to do if that is meant. */
export function predictionDriftText({ plan, evidence }: { plan: RolloutPlan; evidence: RolloutEvidence }): string {
  const worst = evidence.optional.drift?.worst();
  const allowance = plan.spec.checks.drift?.allowance ?? 0;
  const { canary, stable } = plan;
  const change = worst
    ? `${worst.name} is ${percent(worst.x1 / worst.n1)} of its predictions (n ${count(worst.n1)}) against ${percent(worst.x0 / worst.n0)} (n ${count(worst.n0)}), ${points(worst.x1 / worst.n1 - worst.x0 / worst.n0)} points`
    : 'their shares have changed';
  return `${canary} predicts otherwise than ${stable}: ${change}, and its odds may change by ${percent(allowance)}; if it is meant to, promote it by hand or leave checks.drift out`;
}

function signedNumber(value: number): string {
  return value < 0 ? plainNumber(value) : `+${plainNumber(value)}`;
}
