import type { Cells } from './summary.js';

/** What only some rollouts ask of an arm's outcomes, so far as the bucket's records show it. */
export interface ArmDetails {
  /** Numbers of the answers, for custom checks. */
  readonly values: readonly ValueSums[];
  /** Cells by segment, in the order of the numbers; latency to the last byte. Number 0: no name. */
  readonly segments: readonly SegmentCells[];
  /** Predictions by user group and bin; null: none carries one. */
  readonly predictions: PredictionCells | null;
}

/** The values of one name. */
export interface ValueSums {
  readonly name: string;
  readonly n: number;
  readonly sum: number;
  readonly squares: number;
  /** By user group; groups without a value are left out. */
  readonly groups: readonly GroupSum[];
}

export interface GroupSum {
  readonly group: number;
  readonly n: number;
  readonly sum: number;
}

/** One segment of the traffic. Several names may fall into it; `name` is the first that came. */
export interface SegmentCells {
  readonly segment: number;
  readonly name: string;
  readonly cells: Cells;
}

export interface PredictionCells {
  /** Keys are predictionKey(group, bin). */
  readonly cells: Cells;
  /** A prediction that stands for a bin, of the first bins that came. */
  readonly names: ReadonlyMap<number, string>;
}

/** Prediction bins fit in 14 bits. */
export const predictionKey = (group: number, bin: number): number => (group << 14) | bin;
export const predictionGroup = (key: number): number => key >>> 14;
export const predictionBinOf = (key: number): number => key & 16_383;

/** Labels by segment: keys are labelKey(segment, group, wrong). */
export const labelKey = (segment: number, group: number, wrong: boolean): number =>
  (segment << 7) | (group << 1) | (wrong ? 1 : 0);
export const labelSegment = (key: number): number => key >>> 7;
export const labelGroup = (key: number): number => (key >>> 1) & 63;
export const labelWrong = (key: number): boolean => (key & 1) === 1;
