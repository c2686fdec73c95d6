import { type BucketRecord, PackReader, type PackWriter } from '@app/shared';
import { SKETCH_BIN_MAX, sketchBin } from '../sketch.js';
import { type ArmCounts, CELL_CLASS, type CellClass, cellKey, type LeftOutSummary, NO_CELLS } from '../summary.js';
import { NO_ROW, type WindowRow } from '../window-deltas.js';
import { CellCounter, unpackCells } from './cell-counter.js';
import { packDetails, unpackDetails } from './detail-codec.js';
import { DetailTally, hasDetails } from './detail-tally.js';
import type { SlotOutcome } from './outcome-decoder.js';

const FORMAT = 2;
/** Counts of this one are merged, without any that are not. */
const FORMAT_MERGED = 1;
const LEFT_OUT = 1;
const DETAILED = 2;

/** What one version's outcomes come to. */
export interface Arm {
  readonly version: string;
  /** As the last bucket record said; 0 before the first. */
  routed: number;
  readonly cells: CellCounter;
  /** Null until an outcome carries firstByteMs. */
  firstByte: CellCounter | null;
  /** Null until an outcome carries more than every rollout needs. */
  details: DetailTally | null;
  /** Where its newest outcome was shown; perhaps in a batch before. */
  row: WindowRow;
}

/** What is common to a bucket's outcomes and bucket records. */
export interface BucketIdentity {
  readonly model: string;
  readonly generation: number;
  readonly router: string;
  readonly bucket: number;
}

/** A bucket whose final record has not come yet, as far as its partition shows it. */
export class OpenBucket implements BucketIdentity {
  /** Of its arms nothing is kept any more: it counts for nothing, and what still comes for it is ignored. */
  leftOut = false;
  /** The store has a field of it. */
  stored = false;
  /** Differs from the stored field. Set by the slot, which collects what changed. */
  changed = false;
  /** Its final record has come. */
  closed = false;
  /** When it was opened, by the router's clock: as a bucket record said, else the oldest prediction received. */
  private routedFrom = Number.MAX_SAFE_INTEGER;
  private readonly arms: Arm[] = [];

  private constructor(
    readonly model: string,
    readonly generation: number,
    readonly router: string,
    readonly bucket: number,
    /** Log time at its first record. */
    readonly firstLogTimeMs: number,
    readonly firstOffset: number,
  ) {}

  static open(identity: BucketIdentity, firstLogTimeMs: number, firstOffset: number): OpenBucket {
    const { model, generation, router, bucket } = identity;
    return new OpenBucket(model, generation, router, bucket, firstLogTimeMs, firstOffset);
  }

  isOf(identity: BucketIdentity): boolean {
    return this.model === identity.model && this.generation === identity.generation;
  }

  /** Takes in the outcome of one of its predictions; gives the arm it belongs to. */
  add(outcome: SlotOutcome): Arm {
    if (outcome.routedAt < this.routedFrom) this.routedFrom = outcome.routedAt;
    const arm = this.arm(outcome.version);
    const kind = classOf(outcome);
    const key = cellKey(outcome.unit, kind, binOf(outcome.latencyMs, kind));
    arm.cells.add(key);
    if (hasDetails(outcome)) (arm.details ??= new DetailTally()).add(outcome, key);
    if (outcome.firstByteMs !== undefined) {
      arm.firstByte ??= new CellCounter();
      arm.firstByte.add(cellKey(outcome.unit, kind, binOf(outcome.firstByteMs, kind)));
    }
    return arm;
  }

  /** Whether a bucket record and the outcomes received tell the same: nothing was lost. */
  agreesWith(record: BucketRecord): boolean {
    const { versions, final } = record;
    let received = 0;
    for (const version of Object.keys(versions)) {
      const { routed, pending, dropped } = versions[version]!;
      const cells = this.find(version)?.cells.total ?? 0;
      if (dropped !== 0 || cells !== routed - pending || (final && pending !== 0)) return false;
      received += cells;
    }
    return received === this.arms.reduce((sum, arm) => sum + arm.cells.total, 0);
  }

  /** What the bucket record and the outcomes received so far say together, by version. */
  armCounts(record: BucketRecord): Record<string, ArmCounts> {
    const { versions, final } = record;
    this.routedFrom = record.routedFrom;
    const all = Object.keys(versions).map((version): [string, ArmCounts] => {
      const { routed, intended, pending } = versions[version]!;
      const arm = this.arm(version);
      arm.routed = routed;
      const cells = arm.cells.cells();
      const counts = { routed, intended, pending, cells, firstByte: arm.firstByte?.cells() ?? NO_CELLS };
      // Nothing looks at them before a bucket is final.
      return [version, final && arm.details ? { ...counts, details: arm.details.details() } : counts];
    });
    return Object.fromEntries(all);
  }

  /** Leaves it out for good: its counts are forgotten. `record`: the one that showed a loss. */
  leaveOut(cause: LeftOutSummary['cause'], record?: BucketRecord): LeftOutSummary {
    if (record) this.note(record);
    const { model, generation, router, bucket, routedFrom } = this;
    const routed = this.arms.map((arm) => [arm.version, Math.max(arm.routed, arm.cells.total)] as const);
    this.leftOut = true;
    this.arms.length = 0;
    return {
      kind: 'left-out',
      model,
      generation,
      router,
      bucket,
      routedFrom,
      cause,
      routed: Object.fromEntries(routed),
    };
  }

  pack(writer: PackWriter): Buffer {
    const detailed = this.arms.some((arm) => arm.details !== null);
    writer.uint(FORMAT).uint((this.leftOut ? LEFT_OUT : 0) | (detailed ? DETAILED : 0));
    writer.text(this.model).uint(this.generation).uintOrNone(this.firstLogTimeMs).uint(this.firstOffset);
    writer.uint(this.routedFrom);
    writer.uint(this.arms.length);
    for (const arm of this.arms) {
      arm.cells.pack(writer.text(arm.version).uint(arm.routed));
      writer.uint(arm.firstByte ? 1 : 0);
      arm.firstByte?.pack(writer);
      if (!detailed) continue;
      writer.uint(arm.details ? 1 : 0);
      if (arm.details) packDetails(writer, arm.details.details());
    }
    return writer.take();
  }

  static unpack(router: string, bucket: number, packed: Buffer): OpenBucket {
    const reader = new PackReader(packed);
    const counter =
      reader.uint() === FORMAT_MERGED ? () => CellCounter.of(unpackCells(reader)) : () => CellCounter.unpack(reader);
    const flags = reader.uint();
    const model = reader.text();
    const generation = reader.uint();
    const firstLogTimeMs = reader.uintOrNone();
    const open = new OpenBucket(model, generation, router, bucket, firstLogTimeMs, reader.uint());
    open.leftOut = (flags & LEFT_OUT) !== 0;
    open.stored = true;
    open.routedFrom = reader.uint();
    for (let arms = reader.uint(); arms > 0; arms--) {
      const version = reader.text();
      const routed = reader.uint();
      const cells = counter();
      const firstByte = reader.uint() ? counter() : null;
      const detailed = (flags & DETAILED) !== 0 && reader.uint() === 1;
      const details = detailed ? DetailTally.of(unpackDetails(reader)) : null;
      open.arms.push({ version, routed, cells, firstByte, details, row: NO_ROW });
    }
    return open;
  }

  private note({ routedFrom, versions }: BucketRecord): void {
    this.routedFrom = routedFrom;
    for (const [version, { routed }] of Object.entries(versions)) this.arm(version).routed = routed;
  }

  private arm(version: string): Arm {
    const found = this.find(version);
    if (found) return found;
    const arm: Arm = { version, routed: 0, cells: new CellCounter(), firstByte: null, details: null, row: NO_ROW };
    this.arms.push(arm);
    return arm;
  }

  private find(version: string): Arm | undefined {
    for (const arm of this.arms) if (arm.version === version) return arm;
    return undefined;
  }
}

/** A prediction that stable answered in the canary's place is the canary's, and bad, whatever became of the retry. */
export function classOf({ status, httpStatus, fallback }: SlotOutcome): CellClass {
  if (status === 'error' && httpStatus >= 400 && httpStatus < 500) return CELL_CLASS.clientError;
  if (fallback === true) return CELL_CLASS.error;
  if (status === 'ok') return CELL_CLASS.ok;
  return status === 'cancelled' ? CELL_CLASS.cancelled : CELL_CLASS.error;
}

function binOf(latencyMs: number, kind: CellClass): number {
  return kind === CELL_CLASS.cancelled ? SKETCH_BIN_MAX : sketchBin(latencyMs);
}
