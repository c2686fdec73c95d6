import { type Checks, modelHash, type RolloutSpec, type RolloutState } from '@app/shared';
import {
  type CountedGeneration,
  type GenerationDirectory,
  type ModelEntry,
  type ShadowGeneration,
  strataMsOf,
} from '../slot/generation-directory.js';

/** What a state tells of a model's generations. */
export type DirectoryFacts = Pick<
  RolloutState,
  'model' | 'generation' | 'prediction' | 'versions' | 'versionIndexes'
> & {
  readonly rollout?: {
    readonly spec: RolloutSpec;
    readonly phases: readonly { readonly generation: number; readonly step: number }[];
  };
};

/** What the states of rollout-state tell of models and their generations, whatever rollout is the newest one. */
export class StateDirectory implements GenerationDirectory {
  private readonly byHash = new Map<number, DirectoryEntry>();

  /** Adds a state as it is read; an older one than those before it adds only what they did not tell. */
  add(state: DirectoryFacts): void {
    const hash = modelHash(state.model);
    const entry = this.byHash.get(hash) ?? new DirectoryEntry(state.model);
    this.byHash.set(hash, entry);
    entry.add(state);
  }

  model(hash: number): ModelEntry | null {
    return this.byHash.get(hash) ?? null;
  }
}

class DirectoryEntry implements ModelEntry {
  private newestGeneration = 0;
  private newestTolerance = 0;
  private readonly versions = new Map<number, string>();
  private readonly names = new Set<string>();
  private readonly countedBy = new Map<number, CountedGeneration>();
  private readonly shadowBy = new Map<number, ShadowGeneration>();

  constructor(readonly model: string) {}

  get generation(): number {
    return this.newestGeneration;
  }

  get tolerance(): number {
    return this.newestTolerance;
  }

  version(index: number): string | null {
    return this.versions.get(index) ?? null;
  }

  hasVersion(version: string): boolean {
    return this.names.has(version);
  }

  counted(generation: number): CountedGeneration | null {
    return this.countedBy.get(generation) ?? null;
  }

  shadow(generation: number): ShadowGeneration | null {
    return this.shadowBy.get(generation) ?? null;
  }

  add(state: DirectoryFacts): void {
    if (state.generation >= this.newestGeneration) {
      this.newestGeneration = state.generation;
      this.newestTolerance = state.prediction?.tolerance ?? 0;
    }
    for (const [version, index] of Object.entries(state.versionIndexes)) {
      this.versions.set(index, version);
      this.names.add(version);
    }
    for (const version of Object.keys(state.versions)) this.names.add(version);
    for (const { generation, step } of state.rollout?.phases ?? [])
      if (state.rollout!.spec.steps[step]?.kind === 'shadow' && !this.shadowBy.has(generation))
        this.shadowBy.set(generation, shadowOf(state.rollout!.spec));
    const checks = state.rollout?.spec.checks;
    if (!state.rollout || !checks?.accuracy) return;
    const { labelsWithinMs } = checks.accuracy;
    const values = labelValues(checks);
    const tolerance = state.rollout.spec.prediction?.tolerance ?? 0;
    for (const { generation } of state.rollout.phases)
      if (!this.countedBy.has(generation))
        this.countedBy.set(generation, { labelsWithinMs, tolerance, ...(values.length > 0 ? { values } : {}) });
  }
}

/** Some time for an answer's record to get to the log. */
const WAY_MS = 5_000;

function shadowOf({ stable, canary, checks, prediction }: RolloutSpec): ShadowGeneration {
  const answersWithinMs = Math.max(stable.deadlineMs, canary?.deadlineMs ?? 0) + WAY_MS;
  const labelsWithinMs = checks.accuracy?.labelsWithinMs ?? null;
  const strataMs = strataMsOf(labelsWithinMs ?? 0);
  return { strataMs, answersWithinMs, labelsWithinMs, tolerance: prediction?.tolerance ?? 0 };
}

/** Names of the numbers that custom checks take from labels. */
function labelValues({ custom = {} }: Checks): string[] {
  return [...new Set(Object.values(custom).flatMap(({ from, source }) => (from === 'label' ? [source] : [])))];
}
