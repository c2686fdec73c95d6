import type { Clock } from '../../clock.js';
import type { BusRecord, OutRecord } from '../message-bus.js';

export interface MemoryLogOptions {
  readonly compacted: boolean;
  /** Beyond this many records the oldest go (delete) or the log is compacted (compact). */
  readonly retentionRecordsMax: number;
  readonly clock: Clock;
}

export interface LogSlice {
  readonly records: readonly BusRecord[];
  readonly nextOffset: number;
  readonly endOffset: number;
}

export interface LogRead {
  readonly from: number;
  readonly bytesMax: number;
  /** Only what no open transaction stands before. */
  readonly committed: boolean;
}

/** As Kafka's delete.retention.ms: so long a reader may be away and still see that a key was deleted. */
const TOMBSTONE_RETENTION_MS = 86_400_000;
/** A front is cut off in pieces: one by one every append would move the whole array. */
const TRIM_SLACK = 1.25;
/** A compacted log is also compacted when its values come to so much: checkpoints are few and large. */
const COMPACT_ABOVE_BYTES = 16 * 1024 * 1024;

/** One partition: records by rising offset, with gaps where markers stood or compaction took something. */
export class MemoryLog {
  private records: BusRecord[] = [];
  private compactAbove: number;
  private compactAboveBytes = COMPACT_ABOVE_BYTES;
  /** Bytes of the values, of compacted logs only. */
  private bytes = 0;
  private readonly listeners = new Set<() => void>();
  /** Where transactions began whose end nobody sees yet. */
  private readonly pins = new Set<{ readonly offset: number }>();
  /** Next offset to be written. */
  end = 0;
  /** First offset that can be read. */
  low = 0;

  constructor(private readonly options: MemoryLogOptions) {
    this.compactAbove = options.retentionRecordsMax;
  }

  /** Readers of committed records get no further: the last stable offset. */
  get stableEnd(): number {
    let end = this.end;
    for (const { offset } of this.pins) end = Math.min(end, offset);
    return end;
  }

  append(record: OutRecord): void {
    const value = typeof record.value === 'string' ? Buffer.from(record.value) : record.value;
    this.records.push({
      offset: this.end++,
      timestampMs: this.options.clock.nowMs(),
      key: typeof record.key === 'string' ? Buffer.from(record.key) : record.key,
      value,
      ...(record.headers && Object.keys(record.headers).length > 0 ? { headers: { ...record.headers } } : {}),
    });
    if (this.options.compacted) {
      this.bytes += value?.length ?? 0;
      if (this.records.length > this.compactAbove || this.bytes > this.compactAboveBytes) this.compact();
    } else if (this.records.length > this.options.retentionRecordsMax * TRIM_SLACK) {
      this.dropBelow(this.records[this.records.length - this.options.retentionRecordsMax]!.offset);
    }
    this.wake();
  }

  /** The marker that ends a transaction takes an offset, as in Kafka. */
  appendMarker(): void {
    this.end += 1;
    this.wake();
  }

  /** A transaction is open: what comes from here on is not stable. Returns how it ends; without effect the second time. */
  pin(): () => void {
    const pin = { offset: this.end };
    this.pins.add(pin);
    return () => {
      if (this.pins.delete(pin)) this.wake();
    };
  }

  read({ from, bytesMax, committed }: LogRead): LogSlice {
    const endOffset = committed ? this.stableEnd : this.end;
    const records: BusRecord[] = [];
    let bytes = 0;
    let index = this.indexOf(from);
    const stop = endOffset === this.end ? this.records.length : this.indexOf(endOffset);
    for (; index < stop; index++) {
      const record = this.records[index]!;
      bytes += 40 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
      if (records.length > 0 && bytes > bytesMax) break;
      records.push(record);
    }
    const nextOffset = index >= stop ? endOffset : this.records[index - 1]!.offset + 1;
    return { records, nextOffset, endOffset };
  }

  /** Retention: what lies below is gone. */
  dropBelow(offset: number): void {
    this.records.splice(0, this.indexOf(offset));
    this.low = Math.max(this.low, Math.min(offset, this.end));
  }

  /** Keeps the newest record of each key, and tombstones for a day. Offsets stay. */
  compact(): void {
    const newest = new Map<string, number>();
    for (const r of this.records) newest.set(r.key?.toString('latin1') ?? '', r.offset);
    const tombstonesFromMs = this.options.clock.nowMs() - TOMBSTONE_RETENTION_MS;
    this.records = this.records.filter(
      (r) =>
        newest.get(r.key?.toString('latin1') ?? '') === r.offset &&
        (r.value !== null || r.timestampMs > tombstonesFromMs),
    );
    this.compactAbove = Math.max(this.options.retentionRecordsMax, this.records.length * 2);
    this.bytes = this.records.reduce((sum, r) => sum + (r.value?.length ?? 0), 0);
    this.compactAboveBytes = Math.max(COMPACT_ABOVE_BYTES, this.bytes * 2);
  }

  /** Tells when something was written; returns how to stop that. Listeners must only schedule. */
  onAppend(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private wake(): void {
    for (const listener of this.listeners) listener();
  }

  private indexOf(offset: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.records[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
