import { closeSync, openSync, readSync, fstatSync } from 'node:fs';
import type { SpoolDisk } from './spool-disk.js';
import { type DecodedRecords, decodeSpoolRecords, type SpoolRecord } from './spool-record.js';

/** File head: magic u32 | format u32 | opened at (ms since the epoch) f64. */
const MAGIC = 0x4d435350;
const FORMAT = 2;
const FILE_HEAD_BYTES = 16;
/** Read at once; more than the longest record. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** Handed out at once. */
const CHUNK_RECORDS = 500;

/** Records read ahead and not taken yet. */
export interface SpoolChunk extends Pick<DecodedRecords, 'records' | 'ordinals' | 'damagedBytes'> {
  readonly segment: SpoolSegment;
  /** File offset behind the last of them. */
  readonly endOffset: number;
}

/** What was read of a file and not handed out yet. */
interface ReadWindow {
  readonly block: Buffer;
  /** Of its first byte in the file. */
  readonly offset: number;
  /** Where the file ended when it was read: behind that nothing was written. */
  readonly fileEnd: number;
}

/** One file of a spool: appended to at one end, read at the other. One call of each kind at a time. */
export class SpoolSegment {
  /** Records that a producer has and that are not acknowledged. */
  inFlight = 0;
  /** Own records that no producer has, by tally: if the file is lost they are still counted. */
  readonly unread = new Map<number | null, number>();
  private readOffset = FILE_HEAD_BYTES;
  private window: ReadWindow | null = null;
  private dirty = false;
  private syncing: Promise<void> | null = null;
  private appending: Promise<void> | null = null;

  private constructor(
    readonly path: string,
    /** Wall clock, ms. */
    readonly openedAtMs: number,
    private length: number,
    private fd: number | null,
    private readonly disk: SpoolDisk,
  ) {}

  /** A new file. Rejects if it cannot be made; then there is none. */
  static async create(path: string, openedAtMs: number, disk: SpoolDisk): Promise<SpoolSegment> {
    const fd = await disk.create(path);
    const head = Buffer.alloc(FILE_HEAD_BYTES);
    head.writeUInt32BE(MAGIC, 0);
    head.writeUInt32BE(FORMAT, 4);
    head.writeDoubleBE(openedAtMs, 8);
    try {
      await disk.write(fd, head, 0);
    } catch (error) {
      await disk.close(fd).catch(() => undefined);
      await disk.remove(path).catch(() => undefined);
      throw error;
    }
    return new SpoolSegment(path, openedAtMs, FILE_HEAD_BYTES, fd, disk);
  }

  /** A file of an earlier process; null if it is none of ours. At the start only. Throws if it cannot be read. */
  static adopt(path: string, disk: SpoolDisk): SpoolSegment | null {
    const fd = openSync(path, 'r');
    try {
      const head = Buffer.alloc(FILE_HEAD_BYTES);
      const read = readSync(fd, head, 0, FILE_HEAD_BYTES, 0);
      if (read < FILE_HEAD_BYTES || head.readUInt32BE(0) !== MAGIC || head.readUInt32BE(4) !== FORMAT) return null;
      return new SpoolSegment(path, head.readDoubleBE(8), fstatSync(fd).size, null, disk);
    } finally {
      closeSync(fd);
    }
  }

  get bytes(): number {
    return this.length;
  }

  /** Nothing in it is left to be taken. */
  get exhausted(): boolean {
    return this.readOffset >= this.length;
  }

  /**
   * Appends a block of records, which count as taken if a producer has them. Rejects if they could not be written; then
   * none of them is there.
   */
  async append(block: Buffer, records: readonly SpoolRecord[], taken: boolean): Promise<void> {
    if (this.fd === null) throw new Error('the segment is sealed');
    this.appending = this.writeBlock(this.fd, block).finally(() => (this.appending = null));
    await this.appending;
    // Whoever writes what is taken has had everything before it taken.
    if (taken && this.readOffset === this.length) this.readOffset += block.length;
    this.length += block.length;
    this.dirty = true;
    if (taken) this.inFlight += records.length;
    else for (const { tally } of records) this.unread.set(tally, (this.unread.get(tally) ?? 0) + 1);
  }

  /** Reads on from where the last take() ended; null when there is nothing more. */
  async read(): Promise<SpoolChunk | null> {
    const at = this.readOffset;
    if (this.exhausted) return null;
    let window = this.window && at < endOf(this.window) ? this.window : await this.readWindow(at);
    let decoded = decode(window, at);
    // A record that the end of the window cuts off.
    if (decoded.end === at) {
      window = await this.readWindow(at);
      decoded = decode(window, at);
    }
    // The file is shorter than we wrote it.
    if (decoded.end === at) decoded = { records: [], ordinals: [], end: this.length, damagedBytes: this.length - at };
    this.window = decoded.end < this.length ? window : null;
    const { records, ordinals, damagedBytes, end } = decoded;
    return { segment: this, records, ordinals, damagedBytes, endOffset: end };
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

  /** Asks the disk to keep what was written since the last call, once it is done with the call before. */
  async sync(): Promise<void> {
    await this.syncing?.catch(() => undefined);
    if (this.fd === null || !this.dirty) return;
    this.dirty = false;
    this.syncing = this.disk.sync(this.fd).finally(() => (this.syncing = null));
    await this.syncing;
  }

  /** No more appends. */
  async seal(): Promise<void> {
    const { fd } = this;
    this.fd = null;
    // Nobody closes a file that a thread is at: its number might be another file's by then.
    await Promise.allSettled([this.appending, this.syncing]);
    if (fd !== null) await this.disk.close(fd);
  }

  /** Deletes the file. */
  async remove(): Promise<void> {
    await this.seal();
    await this.disk.remove(this.path);
  }

  private async writeBlock(fd: number, block: Buffer): Promise<void> {
    try {
      await this.disk.write(fd, block, this.length);
    } catch (error) {
      // What stays behind `length` in spite of this is not read by this process, and repeats what the next one has.
      await this.disk.truncate(fd, this.length).catch(() => undefined);
      throw error;
    }
  }

  private async readWindow(offset: number): Promise<ReadWindow> {
    const fileEnd = this.length;
    const block = await this.disk.read(this.path, offset, Math.min(fileEnd - offset, WINDOW_BYTES));
    return { block, offset, fileEnd };
  }
}

const endOf = ({ offset, block }: ReadWindow): number => offset + block.length;

function decode(window: ReadWindow, at: number): DecodedRecords {
  const { block, offset, fileEnd } = window;
  const last = endOf(window) >= fileEnd;
  const decoded = decodeSpoolRecords(block, { from: at - offset, recordsMax: CHUNK_RECORDS, last });
  return { ...decoded, end: decoded.end + offset };
}
