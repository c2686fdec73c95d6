/**
 * What a label partition must know that its records do not say: which generations count for accuracy, and how a label
 * is compared. It is read from rollout-state by the evaluator, and only grows while a process lives: an answer about a
 * generation that was once known never changes, because the rollout's spec is fixed by its `started` decision. That is
 * what keeps a label slot a function of its partition.
 */
export interface GenerationDirectory {
  /** By modelHash() of the model's name. Null: no state of such a model has been read. */
  model(modelHash: number): ModelEntry | null;
}

export interface ModelEntry {
  readonly model: string;
  /** Newest generation read. Labels of a newer one wait until it has been read. */
  readonly generation: number;
  /** The version that has this index within the model, also when it gets no traffic any more; null: no such version. */
  version(index: number): string | null;
  /** Whether the model has, or had, a version of this name. */
  hasVersion(version: string): boolean;
  /** For predicted numbers: a label is right if |prediction - label| <= tolerance. For display, outside of rollouts. */
  readonly tolerance: number;
  /** How labels of a generation count; null: they do not (no rollout, or one without an accuracy check). */
  counted(generation: number): CountedGeneration | null;
  /** How pairs of a generation count; null, or absent: it is none of a shadow step. */
  shadow?(generation: number): ShadowGeneration | null;
}

export interface ShadowGeneration {
  readonly strataMs: number;
  /** Both answers are known by then, or never: the longer deadline, and some time for the way. */
  readonly answersWithinMs: number;
  /** Null: answers are compared with each other only. */
  readonly labelsWithinMs: number | null;
  /** Of predicted numbers. */
  readonly tolerance: number;
}

export interface CountedGeneration {
  /** The label horizon L of the rollout's accuracy check. */
  readonly labelsWithinMs: number;
  readonly tolerance: number;
  /** Names of the numbers in labels' values that custom checks compare; absent: none. */
  readonly values?: readonly string[];
}

/** Width of the strata that labels are counted in, by routing time: max(1 s, L / 200), whole milliseconds. */
export function strataMsOf(labelsWithinMs: number): number {
  return Math.max(1_000, Math.ceil(labelsWithinMs / 200));
}

/** Log time at which a stratum is complete: its end + L. */
export function stratumClosesAtMs(stratum: number, strataMs: number, labelsWithinMs: number): number {
  return (stratum + 1) * strataMs + labelsWithinMs;
}
