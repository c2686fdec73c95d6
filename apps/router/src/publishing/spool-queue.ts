import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SpoolRecord } from './spool-record.js';
import { type SpoolChunk, SpoolSegment } from './spool-segment.js';

/** A segment is full at this size, or after this time. */
const SEGMENT_BYTES_MAX = 1024 * 1024;
const SEGMENT_AGE_MS_MAX = 600_000;
/** More than any record. */
const CHUNK_BYTES_MAX = 256 * 1024;
const SUFFIX = '.seg';
/** Comes before every numbered segment: what was admitted before anything was spooled. */
const FRONT_NUMBER = 0;

/** Records that are lost: their segment was dropped. */
export interface SpoolLoss {
  /** Those that could still be read. */
  readonly records: readonly SpoolRecord[];
  /** Own records by tally, readable or not. Empty for the files of an earlier process. */
  readonly byTally: ReadonlyMap<number | null, number>;
}

/**
 * A queue on disk, first in first out, of the records that one producer refused. Order is all it promises: records are
 * read in the order in which they were appended, over restarts too. Read again after a restart are also those of the
 * oldest file that were acknowledged already; their sequences tell readers that they have them.
 */
export class SpoolQueue {
  private readonly segments: SpoolSegment[] = [];
  private tail: SpoolSegment | null = null;
  private nextNumber = FRONT_NUMBER + 1;
  private ahead: SpoolChunk | null = null;

  constructor(
    private readonly dir: string,
    private readonly onLoss: (loss: SpoolLoss) => void,
  ) {}

  /** Takes up the files of an earlier process. */
  adopt(): void {
    const names = readdirSync(this.dir).filter((name) => name.endsWith(SUFFIX));
    for (const name of names.sort()) {
      const segment = SpoolSegment.adopt(join(this.dir, name));
      if (segment) this.segments.push(segment);
    }
  }

  /** Size on disk. */
  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Everything was taken, perhaps not acknowledged yet: what comes next may go directly. */
  get isEmpty(): boolean {
    return this.segments.every((segment) => segment.exhausted);
  }

  /** Nothing is left on disk. */
  get isGone(): boolean {
    return this.segments.length === 0;
  }

  /** When the oldest file was opened, wall clock; Infinity if there is none. */
  get oldestMs(): number {
    return this.segments[0]?.openedAtMs ?? Infinity;
  }

  /** Appends records at the end. Throws if the disk does not take them; then none of them is in. */
  append(records: readonly SpoolRecord[], nowMs: number): void {
    const { tail } = this;
    if (tail && (tail.bytes >= SEGMENT_BYTES_MAX || nowMs - tail.openedAtMs >= SEGMENT_AGE_MS_MAX)) this.sealTail();
    this.tail ??= this.create(this.nextNumber++, nowMs);
    try {
      this.tail.append(records);
    } catch (error) {
      this.sealTail();
      throw error;
    }
  }

  /** At the end of the process: puts records before everything that is here. Once in a queue's life. */
  prepend(records: readonly SpoolRecord[], nowMs: number): void {
    const segment = this.create(FRONT_NUMBER, nowMs);
    segment.append(records);
    segment.seal();
    this.segments.unshift(this.segments.pop()!);
  }

  /** The next records to send; null when everything was taken. The same again until it is taken. */
  peek(): SpoolChunk | null {
    while (!this.ahead) {
      const segment = this.segments.find((s) => !s.exhausted);
      if (!segment) return null;
      this.ahead = segment.peek(CHUNK_BYTES_MAX);
      // It turned out to be damaged: what it still holds is lost.
      if (!this.ahead) this.lose(segment, []);
    }
    return this.ahead;
  }

  /** What peek() returned was admitted by a producer. */
  take(): SpoolChunk {
    const chunk = this.ahead!;
    this.ahead = null;
    chunk.segment.take(chunk);
    return chunk;
  }

  /** A taken chunk was acknowledged; a file of which that is true of everything goes. */
  acknowledge(chunk: SpoolChunk): void {
    const { segment } = chunk;
    segment.inFlight -= chunk.records.length;
    if (segment.exhausted && segment.inFlight === 0 && this.segments.includes(segment)) this.remove(segment);
  }

  /** Gives up the oldest file; false if there is none. What a producer holds of it is not lost. */
  dropOldest(): boolean {
    const segment = this.segments[0];
    if (!segment) return false;
    const records: SpoolRecord[] = [];
    this.ahead = null;
    for (let chunk = segment.peek(CHUNK_BYTES_MAX); chunk; chunk = segment.peek(CHUNK_BYTES_MAX)) {
      records.push(...chunk.records);
      segment.skip(chunk);
    }
    this.lose(segment, records);
    return true;
  }

  /** Asks the disk to keep what was written. */
  sync(onError: (error: unknown) => void): void {
    this.tail?.sync(onError);
  }

  /** Closes the files and leaves them for the next process; removes the directory if nothing is left in it. */
  close(): void {
    this.sealTail();
    if (this.isGone) rmSync(this.dir, { recursive: true, force: true });
  }

  private create(number: number, nowMs: number): SpoolSegment {
    mkdirSync(this.dir, { recursive: true });
    const segment = SpoolSegment.create(join(this.dir, `${String(number).padStart(10, '0')}${SUFFIX}`), nowMs);
    this.segments.push(segment);
    return segment;
  }

  private sealTail(): void {
    this.tail?.seal();
    this.tail = null;
  }

  private lose(segment: SpoolSegment, records: readonly SpoolRecord[]): void {
    const byTally = new Map(segment.unread);
    this.remove(segment);
    if (records.length > 0 || byTally.size > 0) this.onLoss({ records, byTally });
  }

  private remove(segment: SpoolSegment): void {
    if (segment === this.tail) this.tail = null;
    this.segments.splice(this.segments.indexOf(segment), 1);
    segment.remove();
  }
}
