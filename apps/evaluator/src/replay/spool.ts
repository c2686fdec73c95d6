import { closeSync, openSync, readSync, writeSync } from 'node:fs';

const BLOCK_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;

/**
 * Entries in a file, in order: written first, then read once. A rollout of a day has more of them than fit in memory.
 * Synchronous, because a replay waits for nothing else.
 */
export class Spool {
  private readonly file: number;
  private pending: Buffer[] = [];
  private pendingBytes = 0;

  constructor(path: string) {
    this.file = openSync(path, 'w+');
  }

  append(entry: Buffer): void {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(entry.length);
    this.pending.push(length, entry);
    this.pendingBytes += LENGTH_BYTES + entry.length;
    if (this.pendingBytes >= BLOCK_BYTES) this.flush();
  }

  /** All entries from the first on. The buffers are the caller's. */
  *entries(): Generator<Buffer> {
    this.flush();
    let block = Buffer.alloc(0);
    let at = 0;
    let position = 0;
    const fill = (bytes: number): boolean => {
      while (block.length - at < bytes) {
        const more = Buffer.alloc(Math.max(BLOCK_BYTES, bytes));
        const read = readSync(this.file, more, 0, more.length, position);
        if (read === 0) return false;
        position += read;
        block = Buffer.concat([block.subarray(at), more.subarray(0, read)]);
        at = 0;
      }
      return true;
    };
    while (fill(LENGTH_BYTES)) {
      const length = block.readUInt32BE(at);
      fill(LENGTH_BYTES + length);
      yield Buffer.from(block.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
      at += LENGTH_BYTES + length;
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private flush(): void {
    if (this.pending.length === 0) return;
    const bytes = Buffer.concat(this.pending);
    for (let written = 0; written < bytes.length;) written += writeSync(this.file, bytes, written);
    this.pending = [];
    this.pendingBytes = 0;
  }
}
