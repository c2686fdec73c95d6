import type { ArmDetails, ValueSums } from './arm-details.js';

/**
 * What the owner of a partition makes of its records, and what the owner of a model folds. A summary stands at one
 * offset of its partition and holds no thresholds: every check reads its own counts off the cells.
 */
export type Summary = BucketSummary | LeftOutSummary | LabelShare | PairShare;

/** That a slot has been made without some records of its partition: they were gone before they were read. */
export interface MissedSummary {
  readonly kind: 'missed';
  /** Of no model: it concerns all. */
  readonly model: '';
  readonly generation: 0;
  /** Offsets of what is missing: from `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
}

/** Whether it is something that an engine folds. */
export const isEvidence = (summary: Summary | MissedSummary): summary is Summary => summary.kind !== 'missed';

/** A summary at its place: offset of the record that made it, and its number among those of that offset. */
export interface PlacedSummary {
  readonly offset: number;
  readonly index: number;
  readonly summary: Summary | MissedSummary;
}

/** Classes of outcome a check has to tell apart. */
export const CELL_CLASS = {
  ok: 0,
  /** transport failure, timeout, 5xx, overloaded. */
  error: 1,
  /** 4xx: an error, but not for the ceiling. */
  clientError: 2,
  /** No error; slower than every threshold. */
  cancelled: 3,
} as const;
export type CellClass = (typeof CELL_CLASS)[keyof typeof CELL_CLASS];

/**
 * Sparse contingency table of outcomes received: user group x class x latency bin -> count. Entry i has key keys[i] =
 * cellKey(group, class, bin) and count counts[i]; keys rise strictly. Plain arrays: most tables have few entries, and a
 * typed array takes longer to make than those.
 */
export interface Cells {
  readonly keys: readonly number[];
  readonly counts: readonly number[];
}
export const NO_CELLS: Cells = { keys: [], counts: [] };

/** Sketch bins fit in 11 bits; bin 0 is everything up to the sketch's least value. See sketch.ts. */
export function cellKey(group: number, cellClass: CellClass, bin: number): number {
  return (group << 13) | (cellClass << 11) | bin;
}
export const cellGroup = (key: number): number => key >>> 13;
export const cellClass = (key: number): CellClass => ((key >>> 11) & 3) as CellClass;
export const cellBin = (key: number): number => key & 2047;

export interface ArmCounts {
  readonly routed: number;
  readonly intended: number;
  readonly pending: number;
  /** Latency to the last byte, of every outcome received so far. */
  readonly cells: Cells;
  /** Latency to the first byte, same keys; empty unless outcomes carry firstByteMs. */
  readonly firstByte: Cells;
  /** Only of final buckets, and where outcomes carry more than every rollout needs. */
  readonly details?: ArmDetails;
}

/** One bucket as one of its bucket records showed it. */
export interface BucketSummary {
  readonly kind: 'bucket';
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
  readonly routedFrom: number;
  readonly routedTo: number;
  readonly ageMs: number;
  readonly previousAgeMs: number;
  readonly final: boolean;
  /** By version. */
  readonly versions: Readonly<Record<string, ArmCounts>>;
}

/** A bucket that cannot be counted: both arms are left out. */
export interface LeftOutSummary {
  readonly kind: 'left-out';
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
  readonly routedFrom: number;
  /** lost: outcomes received differ from routed - pending, or dropped > 0. overdue: never became final. */
  readonly cause: 'lost' | 'overdue';
  /** Predictions in it as far as known, by version. */
  readonly routed: Readonly<Record<string, number>>;
}

/** Labelled predictions of one arm in one stratum, from one label partition. */
export interface LabelledArm {
  /** Labelled within the horizon. */
  readonly n: number;
  readonly wrong: number;
  /** By user group, 64 long. */
  readonly groupN: readonly number[];
  readonly groupWrong: readonly number[];
  /** By segment, user group and truth, keys as labelKey(); absent without segments. */
  readonly segments?: Cells;
  /** Numbers that labels carry, for custom checks; absent without those. */
  readonly values?: readonly ValueSums[];
}

/** One label partition's share of a stratum, complete: the partition's log time has passed its end + labelsWithin. */
export interface LabelShare {
  readonly kind: 'label-share';
  readonly model: string;
  readonly generation: number;
  /** floor(bucket's routedFrom / strataMs). */
  readonly stratum: number;
  readonly strataMs: number;
  readonly stable: LabelledArm;
  readonly canary: LabelledArm;
}

/** Pairs by user group, 64 long: all, those in which the canary alone was bad, and those in which stable alone was. */
export interface PairedCounts {
  readonly groupN: readonly number[];
  readonly groupWorse: readonly number[];
  readonly groupBetter: readonly number[];
  /** Those of all groups in which both were bad. */
  readonly bothBad: number;
}

/**
 * One label partition's share of a stratum of a shadow step: what both versions made of the same predictions, once their
 * deadlines are over (`answers`), and who was right, once the labels' horizon is too (`accuracy`).
 */
export interface PairShare {
  readonly kind: 'pair-share';
  readonly model: string;
  readonly generation: number;
  /** floor(bucket's routedFrom / strataMs). */
  readonly stratum: number;
  readonly strataMs: number;
  readonly answers: {
    /** Bad: it failed. */
    readonly errors: PairedCounts;
    /** Worse: they disagree. Of pairs in which both said something. */
    readonly agreement: PairedCounts;
  } | null;
  /** Bad: it was wrong. Of pairs in which both said something and a label came. */
  readonly accuracy: PairedCounts | null;
}
