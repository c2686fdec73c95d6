import type { RolloutState } from '@app/shared/core';

export interface StateChanges extends Partial<RolloutState> {
  readonly urls?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
  readonly maxConcurrency?: number;
}

/** A state of model `m` with stable v1 and canary v2. */
export function rolloutState(changes: StateChanges = {}): RolloutState {
  const { urls = {}, deadlineMs = 5000, maxConcurrency = 100, ...rest } = changes;
  const versions = Object.entries(urls).map(([version, url]) => [
    version,
    { index: Number(version.slice(1)), url, deadlineMs, maxConcurrency },
  ]);
  return {
    schemaVersion: 1,
    model: 'm',
    sequence: rest.generation ?? 1,
    generation: 1,
    updatedAt: 1_795_000_000_000,
    salt: 'm-1',
    stable: 'v1',
    canary: 'v2',
    weights: { v1: 1, v2: 0 },
    versions: Object.fromEntries(versions) as RolloutState['versions'],
    rolloutCount: 1,
    versionIndexMax: 2,
    versionIndexes: { v1: 1, v2: 2 },
    decisions: [],
    commands: [],
    ...rest,
  };
}
