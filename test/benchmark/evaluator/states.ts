import type { RolloutState } from '@app/shared';
import { aState } from '../../../apps/evaluator/src/testing/builders.js';
import { versionName } from './routers.js';

/** Of a thousand models few are being rolled out at the same time. */
export const ROLLOUTS_MAX = 20;

/**
 * A model of `versions` versions, of which the second is tried with every check that a rollout file has by default; or,
 * without a rollout, one that only serves.
 */
export function benchmarkState(
  model: string,
  options: { readonly versions: number; readonly hasRollout: boolean; readonly labelsWithinMs?: number },
): RolloutState {
  const { versions, hasRollout, labelsWithinMs } = options;
  const state = aState(model, 0, { labelsWithinMs });
  const [v1] = [state.versions['v1']!];
  const names = Array.from({ length: versions }, (_, i) => versionName(i));
  const known = {
    versions: Object.fromEntries(names.map((name, index) => [name, { ...v1, index }])),
    versionIndexes: Object.fromEntries(names.map((name, index) => [name, index])),
    versionIndexMax: versions - 1,
  };
  if (!hasRollout) return { ...state, ...known, rollout: undefined, canary: undefined };
  const latency = { p50: { maxRatio: 1.2, minIncreaseMs: 5 }, p99: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false };
  const { spec } = state.rollout!;
  const checks = { ...spec.checks, latency };
  return { ...state, ...known, rollout: { ...state.rollout!, spec: { ...spec, checks } } };
}
