import { dirname, join } from 'node:path';
import { isDiskFull, type SpoolDisk } from './spool-disk.js';
import { encodeSpoolRecords, type SpoolRecord, spoolRecordBytes } from './spool-record.js';
import { SpoolSegment } from './spool-segment.js';

/** A segment is full at this size, or after this time. */
const SEGMENT_BYTES_MAX = 1024 * 1024;
const SEGMENT_AGE_MS_MAX = 600_000;
/** Waiting for the disk; what comes beyond that is not taken. */
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;
export const SEGMENT_SUFFIX = '.seg';

/** When what was written is made to survive a power cut: after each write, every second, or when the system sees fit. */
export type SpoolFsync = 'always' | 'second' | 'never';

/** Records that a producer has, written down in case this process dies. */
export interface JournalEntry {
  readonly records: readonly SpoolRecord[];
  state: 'waiting' | 'written' | 'failed' | 'settled';
  segment: SpoolSegment | null;
}

export interface SpoolWriterParts {
  readonly dir: string;
  readonly disk: SpoolDisk;
  readonly fsync: SpoolFsync;
  readonly nowMs: () => number;
  /** Frees space; false: there is nothing left to free. */
  readonly makeRoom: () => Promise<boolean>;
  readonly onSegment: (segment: SpoolSegment) => void;
  /** They are on disk, for an entry in case it was not settled meanwhile. */
  readonly onWritten: (records: readonly SpoolRecord[]) => void;
  /** An entry was settled before the write of it had ended. */
  readonly onSettledEarly: (entry: JournalEntry, segment: SpoolSegment) => void;
  /** The disk does not take them. */
  readonly onRefused: (records: readonly SpoolRecord[]) => void;
  /** The disk did not do what it was asked to; null: it does again. */
  readonly onTrouble: (error: Error | null) => void;
}

interface WriteJob {
  readonly records: readonly SpoolRecord[];
  readonly bytes: number;
  /** null: to be sent later. */
  readonly entry: JournalEntry | null;
}

/** The end of a queue at which it grows: one write after the other, behind the back of whoever hands records in. */
export class SpoolWriter {
  private readonly jobs: WriteJob[] = [];
  private readonly background = new Set<Promise<void>>();
  private tail: SpoolSegment | null = null;
  private nextNumber = 1;
  private nextOrdinal = 0;
  private waitingBytes = 0;
  private waitingAppends = 0;
  private running: Promise<void> | null = null;

  constructor(private readonly parts: SpoolWriterParts) {}

  /** Handed in and not written yet. */
  get bytes(): number {
    return this.waitingBytes;
  }

  /** Something that is to be sent later is not on disk yet. */
  get hasAppends(): boolean {
    return this.waitingAppends > 0;
  }

  /** False: too much waits already. */
  add(records: readonly SpoolRecord[], entry: JournalEntry | null): boolean {
    const bytes = records.reduce((sum, record) => sum + spoolRecordBytes(record), 0);
    if (this.waitingBytes > 0 && this.waitingBytes + bytes > UNWRITTEN_BYTES_MAX) return false;
    this.jobs.push({ records, bytes, entry });
    this.waitingBytes += bytes;
    if (!entry) this.waitingAppends++;
    this.running ??= this.writeAll().finally(() => (this.running = null));
    return true;
  }

  /** A segment was given up: nothing goes to it any more. */
  abandon(segment: SpoolSegment): void {
    if (this.tail === segment) this.tail = null;
  }

  async sync(): Promise<void> {
    await this.tail?.sync();
  }

  /** Resolves when everything handed in was written or refused. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  async close(): Promise<void> {
    await this.idle();
    this.sealTail();
    await Promise.all(this.background);
  }

  private async writeAll(): Promise<void> {
    for (let job = this.jobs.shift(); job; job = this.jobs.shift()) {
      const { records, bytes, entry } = job;
      const segment = entry?.state === 'settled' ? null : await this.write(records, entry !== null);
      this.waitingBytes -= bytes;
      if (!entry) this.waitingAppends--;
      this.conclude(job, segment);
    }
  }

  private conclude({ records, entry }: WriteJob, segment: SpoolSegment | null): void {
    const { onWritten, onRefused, onSettledEarly } = this.parts;
    if (!entry) {
      if (segment) onWritten(records);
      else onRefused(records);
    } else if (entry.state === 'settled') {
      if (segment) onSettledEarly(entry, segment);
    } else {
      entry.state = segment ? 'written' : 'failed';
      entry.segment = segment;
      if (segment) onWritten(records);
    }
  }

  /** Resolves to where they were written, or null. */
  private async write(records: readonly SpoolRecord[], taken: boolean): Promise<SpoolSegment | null> {
    const { makeRoom, onTrouble, fsync } = this.parts;
    const block = encodeSpoolRecords(records, this.nextOrdinal);
    for (;;) {
      let segment: SpoolSegment | null = null;
      try {
        segment = await this.tailSegment();
        await segment.append(block, records, taken);
        if (this.tail !== segment) continue;
        this.nextOrdinal += records.length;
        onTrouble(null);
        if (fsync === 'always') this.inBackground(segment.sync());
        return segment;
      } catch (error) {
        // It was given up while it was being written to.
        if (segment && this.tail !== segment) continue;
        if (isDiskFull(error) && (await makeRoom())) continue;
        this.sealTail();
        onTrouble(error as Error);
        return null;
      }
    }
  }

  private async tailSegment(): Promise<SpoolSegment> {
    const { dir, disk, nowMs, onSegment, fsync } = this.parts;
    const { tail } = this;
    const now = nowMs();
    if (tail && (tail.bytes >= SEGMENT_BYTES_MAX || now - tail.openedAtMs >= SEGMENT_AGE_MS_MAX)) this.sealTail();
    if (this.tail) return this.tail;
    await disk.makeDirectory(dir);
    const path = join(dir, `${String(this.nextNumber).padStart(10, '0')}${SEGMENT_SUFFIX}`);
    const segment = await SpoolSegment.create(path, now, disk);
    // A number is used up only with its file, so that no gap looks like a loss.
    this.nextNumber++;
    this.tail = segment;
    onSegment(segment);
    // The queue's directory, the router's and the spool's may be new, too.
    if (fsync !== 'never')
      for (const made of [dir, dirname(dir), dirname(dirname(dir))]) this.inBackground(disk.syncDirectory(made));
    return segment;
  }

  private sealTail(): void {
    const { tail } = this;
    this.tail = null;
    if (tail) this.inBackground(this.seal(tail));
  }

  private async seal(segment: SpoolSegment): Promise<void> {
    if (this.parts.fsync !== 'never') await segment.sync().catch((error: Error) => this.parts.onTrouble(error));
    await segment.seal();
  }

  private inBackground(work: Promise<void>): void {
    const done = work.catch((error: Error) => this.parts.onTrouble(error)).finally(() => this.background.delete(done));
    this.background.add(done);
  }
}
