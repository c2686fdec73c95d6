import { type BucketRecord, PackWriter } from '@app/shared';
import { sketchBin } from '../sketch.js';
import { CELL_CLASS } from '../summary.js';
import { NO_ROW, WindowDeltas } from '../window-deltas.js';
import {
  type Cause,
  type FoldCounts,
  type FoldedBatch,
  noCounts,
  type RefusedRecord,
  type SlotRecord,
  SummaryPlacer,
} from './folded-batch.js';
import { type Missed, MissedRecords } from './missed-records.js';
import { type Arm, type BucketIdentity, classOf, OpenBucket } from './open-bucket.js';
import { bucketField, type Lane, laneField, newLane, packLane, unpackFields } from './outcome-fields.js';
import type { SlotOutcome } from './outcome-decoder.js';
import { readOutcomeRecord } from './read-outcome-record.js';
import type { SlotImage } from './slot-image.js';

/** A version's deadline is at most this as far as buckets are concerned; what takes longer is left out. */
const DEADLINE_MS_MAX = 60_000;
/** A bucket is open for at most 60 s, then its last prediction may take two deadlines (the retry), and some. */
export const BUCKET_OVERDUE_MS = 60_000 + 2 * DEADLINE_MS_MAX + 10_000;
/** Longer than what a router's spool keeps (24 h), so that nothing of a forgotten lane can still come. */
export const LANE_FORGOTTEN_MS = 25 * 3_600_000;
/** Lanes are looked through when log time enters another minute: by the records alone, wherever batches end. */
const PURGE_EVERY_MS = 60_000;

/**
 * The working state of one partition of prediction-outcome: a pure function of its records up to a position. It takes
 * batches in and says what each changes; nothing of the result depends on where batches begin and end. After a batch
 * whose change could not be stored, it is to be thrown away and read anew.
 */
export class OutcomeSlot {
  position: number;
  logTimeMs: number;
  private readonly lanes: Map<string, Lane>;
  /** Buckets that may still count, in the order of their first records: the oldest is overdue first. */
  private readonly open: Set<OpenBucket>;
  /** No open bucket is overdue before this log time. */
  private nextOverdueMs = 0;
  /** What differs from the stored fields. */
  private readonly changedLanes: Lane[] = [];
  private readonly changedBuckets: OpenBucket[] = [];
  private readonly deleted = new Set<string>();
  private readonly writer = new PackWriter();
  private readonly missed: MissedRecords;
  private placer: SummaryPlacer;
  private counts: FoldCounts = noCounts();
  private readonly windows = new WindowDeltas();

  constructor(
    private readonly partition: number,
    private readonly controlPartitions: number,
    image: SlotImage | null,
    /** Of other models it follows lanes and buckets, so that those of these count as ever, and nothing else. Null: all. */
    private readonly models: ReadonlySet<string> | null = null,
  ) {
    this.position = image?.position ?? 0;
    this.logTimeMs = image?.logTimeMs ?? -1;
    this.placer = new SummaryPlacer(controlPartitions);
    this.missed = new MissedRecords(image?.fields ?? new Map());
    ({ lanes: this.lanes, open: this.open } = unpackFields(image?.fields ?? new Map()));
  }

  /** Records before the next ones were gone: the slot is made without them, and says so. */
  noteMissed(missed: Missed): void {
    this.missed.note(missed);
  }

  /** Takes records in, in order. `nextOffset`: the position after them, markers included. */
  foldBatch(records: readonly SlotRecord[], nextOffset: number): FoldedBatch {
    const deadLetters: RefusedRecord[] = [];
    for (const record of records) {
      this.missed.tell(record.offset, this.placer);
      this.advance(record);
      const cause = this.fold(record);
      if (cause) deadLetters.push({ offset: record.offset, cause });
    }
    this.position = nextOffset;
    return this.takeChange(deadLetters);
  }

  private fold(record: SlotRecord): Cause | null {
    const reading = readOutcomeRecord(record.value);
    switch (reading.kind) {
      case 'refused':
        return reading.cause;
      case 'tick':
        return null;
      case 'outcome':
        return this.foldOutcome(reading.outcome, record.offset);
      case 'bucket':
        return this.foldBucket(reading.record, record.offset);
    }
  }

  private foldOutcome(outcome: SlotOutcome, offset: number): Cause | null {
    if (outcome.lane !== this.partition) return wrongLane(outcome.lane, this.partition);
    const lane = this.laneOf(outcome.router);
    if (!this.isFresh(lane, outcome.sequence)) return null;
    this.counts.folded++;
    if (outcome.bucket === undefined || outcome.shadow === true || outcome.override === true)
      return this.show(outcome, null);
    const bucket = lane.buckets.get(outcome.bucket) ?? this.openBucket(lane, outcome as BucketIdentity, offset);
    const isOf = bucket.isOf(outcome as BucketIdentity);
    if (!isOf || bucket.leftOut) {
      this.show(outcome, null);
      return isOf ? null : foreignBucket(bucket);
    }
    if (!this.isWanted(outcome)) return null;
    this.touch(bucket);
    return this.show(outcome, bucket.add(outcome));
  }

  private foldBucket(record: BucketRecord, offset: number): Cause | null {
    if (record.lane !== this.partition) return wrongLane(record.lane, this.partition);
    const lane = this.laneOf(record.router);
    if (!this.isFresh(lane, record.sequence)) return null;
    const bucket = lane.buckets.get(record.bucket) ?? this.openBucket(lane, record, offset);
    if (!bucket.isOf(record)) return foreignBucket(bucket);
    if (!bucket.leftOut && this.isWanted(record)) {
      if (bucket.agreesWith(record)) this.placeSummary(bucket, record, offset);
      else this.leaveOut(bucket, offset, record);
    }
    if (record.final) this.close(lane, bucket);
    return null;
  }

  private isWanted({ model }: { readonly model: string }): boolean {
    return this.models?.has(model) ?? true;
  }

  private leaveOut(bucket: OpenBucket, offset: number, record?: BucketRecord): void {
    const cause = record ? 'lost' : 'overdue';
    this.counts[cause]++;
    this.open.delete(bucket);
    this.placer.place(offset, bucket.leaveOut(cause, record));
    this.touch(bucket);
  }

  private touch(bucket: OpenBucket): void {
    if (bucket.changed) return;
    bucket.changed = true;
    this.changedBuckets.push(bucket);
  }

  private placeSummary(bucket: OpenBucket, record: BucketRecord, offset: number): void {
    const { model, generation, router, bucket: number, routedFrom, routedTo, ageMs, previousAgeMs, final } = record;
    this.placer.place(offset, {
      kind: 'bucket',
      model,
      generation,
      router,
      bucket: number,
      routedFrom,
      routedTo,
      ageMs,
      previousAgeMs,
      final,
      versions: bucket.armCounts(record),
    });
    this.touch(bucket);
  }

  private laneOf(router: string): Lane {
    let lane = this.lanes.get(router);
    if (!lane) {
      lane = newLane(router, -1, this.logTimeMs);
      this.lanes.set(router, lane);
    }
    return lane;
  }

  /** Moves the lane on; false if the record has been taken in before. */
  private isFresh(lane: Lane, sequence: number): boolean {
    if (sequence <= lane.sequence) {
      this.counts.duplicates++;
      return false;
    }
    lane.sequence = sequence;
    lane.seenAtMs = this.logTimeMs;
    if (!lane.changed) this.changedLanes.push(lane);
    lane.changed = true;
    return true;
  }

  private openBucket(lane: Lane, identity: BucketIdentity, offset: number): OpenBucket {
    const bucket = OpenBucket.open(identity, this.logTimeMs, offset);
    lane.buckets.set(identity.bucket, bucket);
    this.open.add(bucket);
    return bucket;
  }

  private close(lane: Lane, bucket: OpenBucket): void {
    bucket.closed = true;
    lane.buckets.delete(bucket.bucket);
    this.open.delete(bucket);
    if (bucket.stored) this.deleted.add(bucketField(bucket));
  }

  /** Moves log time on; what that makes overdue is left out at the record that shows it. */
  private advance(record: SlotRecord): void {
    if (record.timestampMs <= this.logTimeMs) return;
    const before = this.logTimeMs;
    this.logTimeMs = record.timestampMs;
    if (this.logTimeMs >= this.nextOverdueMs) this.leaveOverdue(record.offset);
    if (Math.floor(before / PURGE_EVERY_MS) !== Math.floor(this.logTimeMs / PURGE_EVERY_MS)) this.purge();
  }

  private leaveOverdue(offset: number): void {
    for (const bucket of this.open) {
      this.nextOverdueMs = bucket.firstLogTimeMs + BUCKET_OVERDUE_MS;
      if (this.nextOverdueMs > this.logTimeMs) return;
      this.leaveOut(bucket, offset);
    }
    this.nextOverdueMs = this.logTimeMs + BUCKET_OVERDUE_MS;
  }

  private purge(): void {
    const forgottenMs = this.logTimeMs - LANE_FORGOTTEN_MS;
    for (const lane of this.lanes.values()) {
      for (const bucket of lane.buckets.values())
        if (bucket.leftOut && bucket.firstLogTimeMs < forgottenMs) this.close(lane, bucket);
      if (lane.seenAtMs >= forgottenMs || lane.buckets.size > 0) continue;
      this.lanes.delete(lane.router);
      if (lane.stored) this.deleted.add(laneField(lane.router));
    }
  }

  /** Display figures count every outcome, evidence or not. `arm`: the one it counts in. */
  private show(outcome: SlotOutcome, arm: Arm | null): null {
    if (!this.isWanted(outcome)) return null;
    const { windows } = this;
    let row = arm?.row ?? NO_ROW;
    if (!windows.isOf(row, outcome.routedAt)) {
      row = windows.at(outcome.model, outcome.version, outcome.routedAt, this.logTimeMs);
      if (row === NO_ROW) return null;
      if (arm !== null) arm.row = row;
    }
    const kind = classOf(outcome);
    windows.addRouted(row, kind === CELL_CLASS.error || kind === CELL_CLASS.clientError);
    if (kind !== CELL_CLASS.cancelled) windows.addLatency(row, sketchBin(outcome.latencyMs));
    return null;
  }

  private takeChange(deadLetters: RefusedRecord[]): FoldedBatch {
    const { writer } = this;
    const set = new Map<string, Buffer>();
    for (const lane of this.changedLanes) {
      lane.changed = false;
      if (this.lanes.get(lane.router) !== lane) continue;
      lane.stored = true;
      set.set(laneField(lane.router), packLane(lane, writer));
    }
    for (const bucket of this.changedBuckets) {
      bucket.changed = false;
      if (bucket.closed) continue;
      bucket.stored = true;
      set.set(bucketField(bucket), bucket.pack(writer));
    }
    // A lane or bucket that was forgotten and began anew within one batch is set, not deleted.
    const deleted = [...this.deleted].filter((field) => !set.has(field));
    this.missed.takeChange(set, deleted, writer);
    const folded: FoldedBatch = {
      position: this.position,
      logTimeMs: this.logTimeMs,
      set,
      deleted,
      summaries: this.placer.summaries(),
      deadLetters,
      counts: this.counts,
      ...this.windows.take(),
    };
    this.changedLanes.length = 0;
    this.changedBuckets.length = 0;
    this.deleted.clear();
    this.placer = new SummaryPlacer(this.controlPartitions);
    this.counts = noCounts();
    return folded;
  }
}

const wrongLane = (lane: number, partition: number): Cause => ({
  code: 'wrong-lane',
  text: `the record says lane ${lane} and stands in partition ${partition}`,
});

const foreignBucket = (bucket: OpenBucket): Cause => ({
  code: 'foreign-bucket',
  text: `bucket ${bucket.bucket} of ${bucket.router} belongs to model ${bucket.model}, generation ${bucket.generation}`,
});
