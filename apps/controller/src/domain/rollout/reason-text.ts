import type { CheckResult, RolloutProgress, Verdict } from '@app/shared';

/** 0.1 -> `10 %`. */
export function shareText(weight: number): string {
  return `${trimmed(weight * 100, 2)} %`;
}

/** Steps are counted from 1 for people. */
export function stepText(rollout: RolloutProgress, step = rollout.step): string {
  return `step ${step + 1} of ${rollout.spec.steps.length}`;
}

/** `v2 goes from 10 % to 50 %`. */
export function moveText(version: string, from: number | undefined, to: number): string {
  return `${version} goes from ${shareText(from ?? 0)} to ${shareText(to)}`;
}

/** The figures a verdict rests on: `errorRate 0.42 % against 0.51 % (limit +1 points), ...`; '' without figures. */
export function figuresText(verdict: Verdict): string {
  return verdict.checks
    .filter((check) => check.canary.value !== null)
    .map(checkText)
    .join(', ');
}

function checkText(check: CheckResult): string {
  const canary = valueText(check.canary.value, check.unit);
  const against = check.stable?.value == null ? '' : ` against ${valueText(check.stable.value, check.unit)}`;
  const limit = check.difference === null ? `at most ${valueText(check.limit, check.unit)}` : differenceLimit(check);
  return `${check.check} ${canary}${against} (${limit})`;
}

function differenceLimit(check: CheckResult): string {
  const sign = check.limit < 0 ? '' : '+';
  return check.unit === 'ms'
    ? `limit ${sign}${trimmed(check.limit, 1)} ms`
    : `limit ${sign}${trimmed(check.limit * 100, 2)} points`;
}

function valueText(value: number | null, unit: CheckResult['unit']): string {
  if (value === null) return 'unknown';
  return unit === 'ms' ? `${trimmed(value, 1)} ms` : `${trimmed(value * 100, 2)} %`;
}

/** Checks with the deciding ones first, otherwise in the verdict's order. */
export function decidingFirst(checks: readonly CheckResult[], deciding: CheckResult['result']): CheckResult[] {
  return [...checks.filter((c) => c.result === deciding), ...checks.filter((c) => c.result !== deciding)];
}

function trimmed(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}
