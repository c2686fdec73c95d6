import { closeSync, fsync, ftruncateSync, openSync, readSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { type SpoolRecord, decodeSpoolRecords, encodeSpoolRecords } from './spool-record.js';

/** File head: magic u32 | format u32 | opened at (ms since the epoch) f64. */
const MAGIC = 0x4d435350;
const FORMAT = 1;
const FILE_HEAD_BYTES = 16;

/** Records read ahead and not taken yet. */
export interface SpoolChunk {
  readonly segment: SpoolSegment;
  readonly records: readonly SpoolRecord[];
  /** File offset behind the last of them. */
  readonly endOffset: number;
}

/**
 * One file of a spool: appended to at one end, read at the other. Writing is synchronous, into the page cache: it takes
 * microseconds a batch, and what was written survives the death of the process.
 */
export class SpoolSegment {
  /** Records taken and not acknowledged. */
  inFlight = 0;
  /** Own records not taken yet, by tally: if the file is lost they are still counted. */
  readonly unread = new Map<number | null, number>();
  private readOffset = FILE_HEAD_BYTES;
  private fd: number | null;
  private dirty = false;
  private damaged = false;

  private constructor(
    readonly path: string,
    /** Wall clock, ms. */
    readonly openedAtMs: number,
    private length: number,
    fd: number | null,
  ) {
    this.fd = fd;
  }

  /** A new file. Throws if it cannot be made. */
  static create(path: string, openedAtMs: number): SpoolSegment {
    const fd = openSync(path, 'wx');
    const head = Buffer.alloc(FILE_HEAD_BYTES);
    head.writeUInt32BE(MAGIC, 0);
    head.writeUInt32BE(FORMAT, 4);
    head.writeDoubleBE(openedAtMs, 8);
    try {
      writeFully(fd, head, 0);
    } catch (error) {
      closeSync(fd);
      unlinkSync(path);
      throw error;
    }
    return new SpoolSegment(path, openedAtMs, FILE_HEAD_BYTES, fd);
  }

  /** A file of an earlier process; null if it is none of ours (or was cut off within its head). */
  static adopt(path: string): SpoolSegment | null {
    const head = readRange(path, 0, FILE_HEAD_BYTES);
    if (head.length < FILE_HEAD_BYTES || head.readUInt32BE(0) !== MAGIC || head.readUInt32BE(4) !== FORMAT) return null;
    return new SpoolSegment(path, head.readDoubleBE(8), statSync(path).size, null);
  }

  get bytes(): number {
    return this.length;
  }

  /** Nothing in it is left to be taken. */
  get exhausted(): boolean {
    return this.damaged || this.readOffset >= this.length;
  }

  /** Appends records. Throws if they could not be written; then none of them is there. */
  append(records: readonly SpoolRecord[]): void {
    if (this.fd === null) throw new Error('the segment is sealed');
    const block = encodeSpoolRecords(records);
    try {
      writeFully(this.fd, block, this.length);
    } catch (error) {
      this.cutBack();
      throw error;
    }
    this.length += block.length;
    this.dirty = true;
    for (const { tally } of records) this.unread.set(tally, (this.unread.get(tally) ?? 0) + 1);
  }

  /** Reads on from where the last take() ended; null when there is nothing more. Damage ends the segment. */
  peek(bytesMax: number): SpoolChunk | null {
    if (this.exhausted) return null;
    const block = readRange(this.path, this.readOffset, Math.min(this.length - this.readOffset, bytesMax));
    const { records, bytes } = decodeSpoolRecords(block);
    if (records.length === 0) {
      this.damaged = true;
      return null;
    }
    return { segment: this, records, endOffset: this.readOffset + bytes };
  }

  /** The records of a chunk go to a producer. */
  take(chunk: SpoolChunk): void {
    this.readOffset = chunk.endOffset;
    this.inFlight += chunk.records.length;
    for (const { tally } of chunk.records) {
      const left = (this.unread.get(tally) ?? 0) - 1;
      if (left > 0) this.unread.set(tally, left);
      else this.unread.delete(tally);
    }
  }

  /** Reads past a chunk whose file is being given up. */
  skip(chunk: SpoolChunk): void {
    this.readOffset = chunk.endOffset;
  }

  /** No more appends. */
  seal(): void {
    if (this.fd !== null) closeSync(this.fd);
    this.fd = null;
  }

  /** Asks the disk to keep what was written since the last call. */
  sync(onError: (error: unknown) => void): void {
    if (this.fd === null || !this.dirty) return;
    this.dirty = false;
    fsync(this.fd, (error) => {
      // A file that was removed meanwhile has nothing to keep.
      if (error && this.fd !== null) onError(error);
    });
  }

  /** Deletes the file. */
  remove(): void {
    this.seal();
    unlinkSync(this.path);
  }

  private cutBack(): void {
    try {
      ftruncateSync(this.fd!, this.length);
    } catch {
      // The tail behind `length` is never read by this process, and its checksum stops the next one.
      this.seal();
    }
  }
}

function writeFully(fd: number, block: Buffer, position: number): void {
  for (let at = 0; at < block.length;) at += writeSync(fd, block, at, block.length - at, position + at);
}

function readRange(path: string, from: number, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const block = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const n = readSync(fd, block, at, length - at, from + at);
      if (n === 0) break;
      at += n;
    }
    return block.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}
