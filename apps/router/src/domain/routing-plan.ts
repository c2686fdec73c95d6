import type { RolloutState } from '@app/shared/core';
import { type Arm, dealPoints } from './assignment.js';
import { type Watched, watchedOf } from './watched.js';

/** One version of a model as the router needs it. */
export interface PlannedVersion {
  readonly version: string;
  /** Number of the version in prediction ids. */
  readonly index: number;
  readonly role: 'stable' | 'canary';
  readonly url: string;
  readonly deadlineMs: number;
  readonly maxConcurrency: number;
}

/** Where a model's predictions go, at one generation. */
export interface RoutingPlan {
  readonly model: string;
  readonly generation: number;
  /** Number of the decision it came with: a later one at the same generation replaces it. */
  readonly sequence: number;
  readonly salt: string;
  readonly stable: string;
  readonly arms: readonly Arm[];
  readonly versions: readonly PlannedVersion[];
  readonly prediction?: { readonly pointer: string; readonly kind: 'class' | 'number'; readonly tolerance: number };
  /** Who gets copies, and of which fraction of the predictions. */
  readonly shadow?: { readonly version: string; readonly fraction: number };
  /** Outcomes carry the time to the first byte even of answers that come in one piece. */
  readonly firstByte: boolean;
  readonly watched: Watched;
}

/** Reads the routing out of a model's state; a text says why the state cannot be served. */
export function planRouting(state: RolloutState): RoutingPlan | string {
  if (!state.versions[state.stable]) return `stable version ${state.stable} has no URL`;
  for (const [version, weight] of Object.entries(state.weights))
    if (weight > 0 && !state.versions[version]) return `version ${version} has weight and no URL`;
  const { stable, canary } = state;
  return {
    model: state.model,
    generation: state.generation,
    sequence: state.sequence,
    salt: state.salt,
    stable,
    arms: dealPoints(state.weights, { stable, canary }),
    versions: Object.entries(state.versions).map(([version, v]) => ({
      version,
      index: v.index,
      role: version === canary ? 'canary' : 'stable',
      url: v.url,
      deadlineMs: v.deadlineMs,
      maxConcurrency: v.maxConcurrency,
    })),
    prediction: state.prediction,
    ...(state.shadow && state.versions[state.shadow.version] ? { shadow: state.shadow } : {}),
    firstByte: state.rollout?.spec.checks?.firstByte !== undefined,
    watched: watchedOf(state),
  };
}

/** Whether a state replaces the one in use: generations and decisions never go backwards. */
export function isNewer(
  next: Pick<RoutingPlan, 'generation' | 'sequence'>,
  current: Pick<RoutingPlan, 'generation' | 'sequence'> | undefined,
): boolean {
  if (!current) return true;
  if (next.generation !== current.generation) return next.generation > current.generation;
  return next.sequence > current.sequence;
}
