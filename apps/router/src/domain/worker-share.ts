import type { RolloutState } from '@app/shared/core';

/** Which of how many workers. */
export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** A worker's part of something that the router as a whole may use; the parts add up, but nobody gets less than `least`. */
export function shareOf(total: number, { index, count }: WorkerPlace, least = 1): number {
  return Math.max(least, Math.floor(total / count) + (index < total % count ? 1 : 0));
}

/** A state as one worker serves it: the versions' concurrency is that of the router as a whole. */
export function shareOfState(state: RolloutState, place: WorkerPlace): RolloutState {
  const versions = Object.entries(state.versions).map(([name, version]) => [
    name,
    { ...version, maxConcurrency: shareOf(version.maxConcurrency, place) },
  ]);
  return { ...state, versions: Object.fromEntries(versions) as RolloutState['versions'] };
}
