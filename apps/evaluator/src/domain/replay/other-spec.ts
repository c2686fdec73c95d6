import type { RolloutSpec } from '@app/shared';
import type { RolloutPlan } from '../plan.js';

/**
 * Why a rollout file cannot be replayed on the traffic that a rollout had; null: it can. Checks, limits and durations may
 * be others; versions and the weights of the steps that were taken cannot, because the traffic was what it was.
 */
export function otherSpecProblem(
  spec: RolloutSpec,
  { rollout, model, stable, canary, phases }: RolloutPlan,
): string | null {
  if (spec.model !== model) return `the file is about ${spec.model}, the records are of ${model}`;
  if (spec.stable.version !== stable || spec.canary?.version !== canary)
    return `${rollout} compared ${canary} with ${stable}, the file says ${spec.canary?.version ?? 'no canary'} and ${spec.stable.version}`;
  for (const { step, weights } of phases) {
    const wanted = spec.steps[step];
    const weightOf = (version: string): number =>
      wanted?.kind === 'traffic' ? (wanted.weights[version] ?? 0) : Number(version === stable);
    const same = wanted && wanted.kind !== 'pause' && [stable, canary].every((v) => weightOf(v) === (weights[v] ?? 0));
    if (!same)
      return `step ${step + 1} of ${rollout} had ${canary} at ${weights[canary] ?? 0}: leave the steps as they were, other checks and limits are what can be replayed`;
  }
  return null;
}
