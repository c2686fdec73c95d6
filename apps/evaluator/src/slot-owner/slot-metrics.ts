import type { FoldCounts } from '../domain/slot/folded-batch.js';
import type { SlotId } from '../slot-store/slot-store.js';

/** What the owners of partitions report; metrics.ts turns it into Prometheus series. */
export interface SlotMetrics {
  /** A batch is in the slot. */
  batchFolded(batch: {
    readonly slot: SlotId;
    readonly records: number;
    readonly summaries: number;
    readonly counts: FoldCounts;
    /** From the batch's arrival to the slot's new position. */
    readonly durationMs: number;
    /** Records of the partition that are still to be read. */
    readonly lag: number;
  }): void;
  deadLettered(slot: SlotId, code: string): void;
  /** The slot was found elsewhere: another owner has been at work, or the store came back from a backup. */
  slotMoved(slot: SlotId): void;
  slotRestored(slot: SlotId, from: 'checkpoint' | 'beginning'): void;
  /** Records that retention took before they were read: buckets in them are left out. */
  recordsMissed(slot: SlotId, records: number): void;
  /** The store or the broker was away; the batch comes again. */
  batchFailed(slot: SlotId): void;
  tickWritten(slot: SlotId): void;
  slotCheckpointWritten(checkpoint: { readonly slot: SlotId; readonly bytes: number }): void;
  /** This partition is not owned here any more. */
  slotReleased(slot: SlotId): void;
}
