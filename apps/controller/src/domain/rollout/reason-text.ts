import type { CheckResult, Command, RolloutProgress } from '@app/shared';

/** `ci on behalf of ada`: the second is only said. */
export function whoOf({ actor, onBehalfOf }: Command): string {
  return onBehalfOf === undefined ? actor : `${actor} on behalf of ${onBehalfOf}`;
}

/** 0.1 -> `10 %`. */
export function shareText(weight: number): string {
  return `${Number((weight * 100).toFixed(2))} %`;
}

/** Steps are counted from 1 for people. */
export function stepText(rollout: RolloutProgress, step = rollout.step): string {
  return `step ${step + 1} of ${rollout.spec.steps.length}`;
}

/** `v2 goes from 10 % to 50 %`. */
export function moveText(version: string, from: number | undefined, to: number): string {
  return `${version} goes from ${shareText(from ?? 0)} to ${shareText(to)}`;
}

/** Checks with the deciding ones first, otherwise in the verdict's order. */
export function decidingFirst(checks: readonly CheckResult[], deciding: CheckResult['result']): CheckResult[] {
  return [...checks.filter((c) => c.result === deciding), ...checks.filter((c) => c.result !== deciding)];
}
