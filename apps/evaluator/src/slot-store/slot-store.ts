import type { WindowId } from '@app/shared';
import type { SlotImage } from '../domain/slot/slot-image.js';
import type { PlacedSummary } from '../domain/summary.js';

export type { PlacedSummary, SlotImage };

/** A slot belongs to one partition of prediction-outcome or prediction-label. */
export interface SlotId {
  readonly kind: 'outcome' | 'label';
  readonly partition: number;
}

/** `outcome-7`: used in Redis keys (with braces) and as `slot-outcome-7` in evaluator-checkpoint. */
export const slotName = (slot: SlotId): string => `${slot.kind}-${slot.partition}`;

/** What one batch changes: applied in one step, if the slot's position still is `expectedPosition`. */
export interface SlotChange {
  /** Position the owner read; null: the slot must not exist yet. */
  readonly expectedPosition: number | null;
  readonly position: number;
  readonly logTimeMs: number;
  readonly set: ReadonlyMap<string, Buffer>;
  readonly deleted: readonly string[];
  /** New summaries by owner (partition of evaluator-checkpoint), in order. */
  readonly summaries: ReadonlyMap<number, readonly PlacedSummary[]>;
  /** Windows of this slot, as they are now: display figures. */
  readonly windows?: readonly PackedWindow[];
  /** With the windows, they show every record up to the position: figures that are still to be added to these. */
  readonly waiting?: WaitingChange;
}

export interface WaitingChange {
  /** All that waited is in the windows of this change, and is dropped. */
  readonly drop: boolean;
  /** Comes after what waits. */
  readonly add: Buffer | null;
}

export interface PackedWindow {
  readonly id: WindowId;
  readonly value: Buffer;
}

/** What the owner of models reads of a slot for its next cut. */
export interface OwnerView {
  readonly position: number;
  readonly logTimeMs: number;
  /** Summaries of this owner below this offset have been trimmed; 0 if none ever were. */
  readonly trimmedTo: number;
  /** This owner's summaries at offsets >= `from` and < position, in order. */
  readonly summaries: readonly PlacedSummary[];
}

/** A slot, and the offset from which on its summaries are wanted. */
export interface SlotRead {
  readonly slot: SlotId;
  readonly from: number;
}

/** A whole slot as evaluator-checkpoint keeps it: the image, and per owner what is not trimmed. */
export interface WholeSlot {
  readonly image: SlotImage;
  readonly owners: ReadonlyMap<number, { readonly trimmedTo: number; readonly summaries: readonly PlacedSummary[] }>;
}

/**
 * Where slots live. Two adapters pass one suite: Redis (one hash tag a slot, one Lua call a change) and memory.
 * Any call may reject when the store is away; nothing is half-done then except that a change may or may not have
 * been applied, which the position tells.
 */
export interface SlotStore {
  load(slot: SlotId): Promise<SlotImage | null>;
  /** `moved`: the position was another one; nothing was changed. */
  apply(slot: SlotId, change: SlotChange): Promise<'applied' | 'moved'>;
  /** Null: there is no such slot (yet, or any more). */
  readForOwner(slot: SlotId, owner: number, from: number): Promise<OwnerView | null>;
  /** Many slots at once; the same as readForOwner for each. A slot that cannot be read is null. */
  readAllForOwner(owner: number, reads: readonly SlotRead[]): Promise<readonly (OwnerView | null)[]>;
  /** Drops this owner's summaries below `below` and remembers it; never goes backwards. No-op on a missing slot. */
  trim(slot: SlotId, owner: number, below: number): Promise<void>;
  loadWhole(slot: SlotId): Promise<WholeSlot | null>;
  /** This slot's windows as they stand; null where there is none (yet, or any more). */
  readWindows(slot: SlotId, ids: readonly WindowId[]): Promise<readonly (Buffer | null)[]>;
  /** What waits to be added to this slot's windows, in order. A new slot has none. */
  readWaiting(slot: SlotId): Promise<readonly Buffer[]>;
  /** Puts a slot back from a checkpoint, unless there is one with the same or a later position. */
  restore(slot: SlotId, whole: WholeSlot): Promise<'restored' | 'newer-found'>;
}
