import { partitionOf } from '@app/shared';
import type { MissedSummary, PlacedSummary, Summary } from '../summary.js';
import type { ModelVersion } from '../window-deltas.js';

/** A record as a slot sees it. */
export interface SlotRecord {
  readonly offset: number;
  /** LogAppendTime. */
  readonly timestampMs: number;
  readonly value: Buffer | null;
}

/** Why a record could not be used. */
export interface Cause {
  /** kebab-case, stable. */
  readonly code: string;
  readonly text: string;
}

export interface RefusedRecord {
  readonly offset: number;
  readonly cause: Cause;
}

/** What a batch makes of a slot. */
export interface FoldedBatch {
  /** Next offset to read. Less than the batch's end only if a record has to wait. */
  readonly position: number;
  readonly logTimeMs: number;
  /** Fields of the image that changed, packed anew. */
  readonly set: ReadonlyMap<string, Buffer>;
  readonly deleted: readonly string[];
  readonly summaries: ReadonlyMap<number, readonly PlacedSummary[]>;
  readonly deadLetters: readonly RefusedRecord[];
  /** What it adds to the windows, as WindowDeltas packs it; null: nothing. */
  readonly figures: Buffer | null;
  /** Whatever is shown in the windows. */
  readonly versions: readonly ModelVersion[];
  readonly counts: FoldCounts;
}

/** For metrics; of this batch. */
export interface FoldCounts {
  /** Outcomes or labels taken in, whether they count as evidence or not. */
  folded: number;
  /** Outcomes that had come before, or later labels of a prediction. */
  duplicates: number;
  /** Buckets left out, by cause. */
  lost: number;
  overdue: number;
  /** Labels that came after their stratum was closed. */
  late: number;
  /** Labels of generations without an accuracy check, or of predictions that are no evidence. */
  uncounted: number;
}

export const noCounts = (): FoldCounts => ({ folded: 0, duplicates: 0, lost: 0, overdue: 0, late: 0, uncounted: 0 });

/** Gives summaries their place: owner by model, index by order within an offset. */
export class SummaryPlacer {
  private readonly byOwner = new Map<number, PlacedSummary[]>();
  private offset = -1;
  private index = 0;

  constructor(private readonly controlPartitions: number) {}

  place(offset: number, summary: Summary): void {
    this.moveTo(offset);
    this.placeFor(partitionOf(summary.model, this.controlPartitions), { offset, index: this.index, summary });
  }

  /** Gives it to every owner. */
  placeForAll(offset: number, summary: MissedSummary): void {
    this.moveTo(offset);
    for (let owner = 0; owner < this.controlPartitions; owner++)
      this.placeFor(owner, { offset, index: this.index, summary });
  }

  private moveTo(offset: number): void {
    this.index = offset === this.offset ? this.index + 1 : 0;
    this.offset = offset;
  }

  private placeFor(owner: number, placed: PlacedSummary): void {
    const list = this.byOwner.get(owner);
    if (list) list.push(placed);
    else this.byOwner.set(owner, [placed]);
  }

  summaries(): ReadonlyMap<number, readonly PlacedSummary[]> {
    return this.byOwner;
  }
}
