import type { RolloutState, VersionSpec, VersionState } from '@app/shared';
import { VERSION_INDEX_MAX } from './limits.js';

type Versions = Pick<RolloutState, 'versions' | 'versionIndexes' | 'versionIndexMax'>;

/**
 * Adds a version or brings its entry up to date. A name gets its index once and keeps it for ever, and no index is given
 * to a second name: labels that come a month late are attributed by it. Null: all 256 indexes are used up.
 */
export function withVersion(known: Versions, spec: VersionSpec): Versions | null {
  const given = known.versionIndexes[spec.version];
  const index = given ?? known.versionIndexMax + 1;
  if (index > VERSION_INDEX_MAX) return null;
  const entry: VersionState = {
    index,
    url: spec.url,
    deadlineMs: spec.deadlineMs,
    maxConcurrency: spec.maxConcurrency,
  };
  return {
    versions: { ...known.versions, [spec.version]: entry },
    versionIndexes: { ...known.versionIndexes, [spec.version]: index },
    versionIndexMax: Math.max(known.versionIndexMax, index),
  };
}

/** Whether a version that gets traffic now is to be reached in another way than before. */
export function routedVersionChanged(state: RolloutState, versions: RolloutState['versions']): boolean {
  return Object.entries(state.weights).some(([name, weight]) => {
    const before = state.versions[name];
    const after = versions[name];
    if (weight === 0) return false;
    return (
      before?.url !== after?.url ||
      before?.deadlineMs !== after?.deadlineMs ||
      before?.maxConcurrency !== after?.maxConcurrency
    );
  });
}
