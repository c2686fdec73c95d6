import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SpoolDisk } from './spool-disk.js';
import { missingBetween, type SpoolRecord } from './spool-record.js';
import { type SpoolChunk, SpoolSegment } from './spool-segment.js';
import { type JournalEntry, SEGMENT_SUFFIX, SpoolWriter, type SpoolWriterParts } from './spool-writer.js';

/** How many records are lost, by tally; those of an earlier process are not known by it. */
export type LostByTally = ReadonlyMap<number | null, number>;

/** Bytes of a file that could not be understood, and how many records are known to be missing for it. */
export interface SpoolDamage {
  readonly path: string;
  readonly bytes: number;
  readonly records: number;
}

export interface SpoolQueueParts extends Omit<SpoolWriterParts, 'onSegment' | 'onSettledEarly'> {
  /** Records are lost that were on disk. */
  readonly onLoss: (lost: LostByTally) => void;
  /** Those of them that could still be read, some time later. */
  readonly onLostRecords: (records: readonly SpoolRecord[]) => void;
  readonly onDamage: (damage: SpoolDamage) => void;
  /** peek() has something. */
  readonly onReadable: () => void;
}

/**
 * A queue on disk, first in first out, of what one producer refused, and of what it has and got no acknowledgement for.
 * Order is all it promises: records are read in the order in which they were handed in, over restarts too. Read again
 * after a restart are also those of the oldest file that were acknowledged; their sequences tell readers that they have
 * them. Nobody waits for the disk unless for one of the promises.
 */
export class SpoolQueue {
  private readonly segments: SpoolSegment[] = [];
  private readonly writer: SpoolWriter;
  private readonly removals = new Set<Promise<void>>();
  private ahead: SpoolChunk | null = null;
  private reading: Promise<void> | null = null;
  private adopted = false;
  private lastOrdinal: number | null = null;
  private closed = false;

  constructor(private readonly parts: SpoolQueueParts) {
    this.writer = new SpoolWriter({
      ...parts,
      onSegment: (segment) => this.segments.push(segment),
      onSettledEarly: (entry, segment) => this.release(segment, entry.records.length),
    });
  }

  /** Takes up the files of an earlier process, those that can be read. */
  adopt(): void {
    this.adopted = true;
    const { dir, disk, onDamage, onTrouble } = this.parts;
    try {
      const names = readdirSync(dir).filter((name) => name.endsWith(SEGMENT_SUFFIX));
      for (const name of names.sort()) {
        const segment = adoptSegment(join(dir, name), disk);
        if (segment) this.segments.push(segment);
        else onDamage({ path: join(dir, name), bytes: 0, records: 0 });
      }
    } catch (error) {
      onTrouble(error as Error);
    }
  }

  /** Size on disk, and of what is on its way there. */
  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, this.writer.bytes);
  }

  /** A producer has everything, acknowledged or not: what comes next may go directly. */
  get isEmpty(): boolean {
    return !this.writer.hasAppends && this.segments.every((segment) => segment.exhausted);
  }

  /** Nothing is left on disk or on its way there. */
  get isGone(): boolean {
    return this.segments.length === 0 && this.writer.bytes === 0;
  }

  /** When the oldest file was opened, wall clock; Infinity if there is none. */
  get oldestMs(): number {
    return this.segments[0]?.openedAtMs ?? Infinity;
  }

  /** Appends records at the end. False: too much waits for the disk already, and these are in no queue. */
  append(records: readonly SpoolRecord[]): boolean {
    return this.writer.add(records, null);
  }

  /** Writes down what a producer has. Everything that was appended before must have been taken. */
  journal(records: readonly SpoolRecord[]): JournalEntry {
    const entry: JournalEntry = { records, state: 'waiting', segment: null };
    if (!this.writer.add(records, entry)) entry.state = 'failed';
    return entry;
  }

  /** What was journaled is acknowledged. */
  settle(entry: JournalEntry): void {
    const written = entry.state === 'written';
    entry.state = 'settled';
    if (written) this.release(entry.segment!, entry.records.length);
  }

  /** The next records to send, or null: there are none, or they are being read. The same again until they are taken. */
  peek(): SpoolChunk | null {
    if (!this.ahead && !this.closed) this.reading ??= this.readAhead().finally(() => (this.reading = null));
    return this.ahead;
  }

  /** What peek() returned was admitted by a producer. */
  take(): SpoolChunk {
    const chunk = this.ahead!;
    this.ahead = null;
    this.pass(chunk);
    return chunk;
  }

  /** A taken chunk was acknowledged; a file of which that is true of everything goes. */
  acknowledge({ segment, records }: SpoolChunk): void {
    this.release(segment, records.length);
  }

  /**
   * Gives up the oldest file; null if there is none. Resolves when its space is free. What a producer has of it is not
   * lost.
   */
  dropOldest(): Promise<void> | null {
    const segment = this.segments[0];
    if (!segment) return null;
    const known = this.ahead?.segment === segment ? this.ahead : null;
    if (known) this.ahead = null;
    this.lastOrdinal = null;
    this.forget(segment);
    if (segment.unread.size > 0) this.parts.onLoss(new Map(segment.unread));
    return this.track(this.tellAndRemove(segment, known));
  }

  /** Asks the disk to keep what was written. */
  sync(): Promise<void> {
    return this.writer.sync();
  }

  /** Resolves when what was handed in was written or refused. */
  written(): Promise<void> {
    return this.writer.idle();
  }

  /** Writes what waits, closes the files and leaves them for the next process; removes the directory if it is empty. */
  async close(): Promise<void> {
    this.closed = true;
    await this.writer.close();
    await this.reading;
    await Promise.all(this.removals);
    if (this.isGone) await this.parts.disk.removeDirectory(this.parts.dir).catch(() => undefined);
  }

  private async readAhead(): Promise<void> {
    for (;;) {
      const segment = this.segments.find((s) => !s.exhausted);
      if (!segment) return;
      let chunk: SpoolChunk | null;
      try {
        chunk = await segment.read();
      } catch (error) {
        if (!this.segments.includes(segment)) continue;
        this.parts.onTrouble(error as Error);
        this.parts.onDamage({ path: segment.path, bytes: segment.bytes, records: sum(segment.unread) });
        this.abandon(segment);
        continue;
      }
      // Given up meanwhile.
      if (!chunk || !this.segments.includes(segment)) continue;
      this.noteDamage(chunk);
      if (chunk.records.length === 0) {
        this.pass(chunk);
        this.release(segment, 0);
        continue;
      }
      this.ahead = chunk;
      this.parts.onReadable();
      return;
    }
  }

  private noteDamage({ segment, ordinals, damagedBytes, endOffset }: SpoolChunk): void {
    let missing = 0;
    // Own files have their journaled records left out, and count what is missing by `unread`.
    if (this.adopted) {
      for (const ordinal of ordinals) {
        if (this.lastOrdinal !== null) missing += missingBetween(this.lastOrdinal, ordinal);
        this.lastOrdinal = ordinal;
      }
    } else if (damagedBytes > 0 && endOffset >= segment.bytes) {
      missing = Math.max(0, sum(segment.unread) - ordinals.length);
    }
    if (damagedBytes > 0 || missing > 0)
      this.parts.onDamage({ path: segment.path, bytes: damagedBytes, records: missing });
  }

  /** Moves on behind a chunk. What the file should have had up to its end and had not is lost. */
  private pass(chunk: SpoolChunk): void {
    const { segment } = chunk;
    segment.take(chunk);
    if (!segment.exhausted || segment.unread.size === 0) return;
    this.parts.onLoss(new Map(segment.unread));
    segment.unread.clear();
  }

  private release(segment: SpoolSegment, records: number): void {
    segment.inFlight -= records;
    if (!segment.exhausted || segment.inFlight > 0 || !this.segments.includes(segment)) return;
    this.forget(segment);
    void this.track(segment.remove());
  }

  /** Its rest cannot be read. */
  private abandon(segment: SpoolSegment): void {
    this.forget(segment);
    if (segment.unread.size > 0) this.parts.onLoss(new Map(segment.unread));
    void this.track(segment.remove());
  }

  private async tellAndRemove(segment: SpoolSegment, known: SpoolChunk | null): Promise<void> {
    const { onLostRecords } = this.parts;
    try {
      if (known) {
        segment.take(known);
        onLostRecords(known.records);
      }
      for (let chunk = await segment.read(); chunk; chunk = await segment.read()) {
        segment.take(chunk);
        onLostRecords(chunk.records);
      }
    } catch (error) {
      this.parts.onTrouble(error as Error);
    }
    await segment.remove();
  }

  private forget(segment: SpoolSegment): void {
    this.writer.abandon(segment);
    this.segments.splice(this.segments.indexOf(segment), 1);
  }

  private track(work: Promise<void>): Promise<void> {
    const done = work.catch((error: Error) => this.parts.onTrouble(error)).finally(() => this.removals.delete(done));
    this.removals.add(done);
    return done;
  }
}

function adoptSegment(path: string, disk: SpoolDisk): SpoolSegment | null {
  try {
    return SpoolSegment.adopt(path, disk);
  } catch {
    return null;
  }
}

const sum = (counts: ReadonlyMap<unknown, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
