import type { CutLogTimes, CutPositions } from '@app/shared';
import type { PlacedSummary } from '../summary.js';

/** What an owner of models sees of one slot: its summaries from the owner's cut on, and how far the slot has come. */
export interface SlotView {
  readonly position: number;
  readonly logTimeMs: number;
  readonly trimmedTo: number;
  readonly summaries: readonly PlacedSummary[];
}

/** How many partitions the two data topics have. */
export interface SlotCounts {
  readonly outcome: number;
  readonly label: number;
}

/**
 * How far an owner has folded, slot by slot. Slots are numbered through in the order of folding: the outcome partitions
 * from 0 on, then the label partitions.
 */
export interface CutFront {
  /** Next offset by slot: everything below is folded. */
  readonly positions: readonly number[];
  /** Log time by slot, ms; -1 before its first record. */
  readonly logTimesMs: readonly number[];
}

/** The front of an owner that has folded nothing yet. */
export function emptyFront(counts: SlotCounts): CutFront {
  const slots = counts.outcome + counts.label;
  return { positions: new Array<number>(slots).fill(0), logTimesMs: new Array<number>(slots).fill(-1) };
}

/** Newest log time of a front; -1 while there is none. */
export const asOfMs = (front: CutFront): number => front.logTimesMs.reduce((a, b) => Math.max(a, b), -1);

/** A front as a cut record tells it. */
export function cutFields(
  front: CutFront,
  counts: SlotCounts,
): { positions: CutPositions; logTimes: CutLogTimes; asOf: number } {
  const split = (of: readonly number[]) => ({ outcome: of.slice(0, counts.outcome), label: of.slice(counts.outcome) });
  return { positions: split(front.positions), logTimes: split(front.logTimesMs), asOf: asOfMs(front) };
}

/** The front that a cut record tells. Partitions that were added to the topics since then begin at 0. */
export function frontOf(
  cut: { readonly positions: CutPositions; readonly logTimes: CutLogTimes },
  counts: SlotCounts,
): CutFront {
  const join = (of: { outcome: readonly number[]; label: readonly number[] }, missing: number): number[] => [
    ...padded(of.outcome, counts.outcome, missing),
    ...padded(of.label, counts.label, missing),
  ];
  return { positions: join(cut.positions, 0), logTimesMs: join(cut.logTimes, -1) };
}

function padded(of: readonly number[], length: number, missing: number): number[] {
  return Array.from({ length }, (_, i) => of[i] ?? missing);
}
