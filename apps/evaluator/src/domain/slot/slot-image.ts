/** The part of a slot that its partition's owner works on, packed; opaque to the store. */
export interface SlotImage {
  /** Next offset to read: the slot is a pure function of the partition below it. */
  readonly position: number;
  /** Largest LogAppendTime below the position, ms; -1 before the first record. */
  readonly logTimeMs: number;
  /** Lanes, open buckets, strata: packed values by field. */
  readonly fields: ReadonlyMap<string, Buffer>;
}
