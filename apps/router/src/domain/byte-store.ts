const CAPACITY_MIN = 1024;

/** Bytes that came in pieces and are needed together. Grows by doubling, so that single bytes cost no more than many. */
export class ByteStore {
  private bytes: Buffer | null = null;
  private used = 0;

  get length(): number {
    return this.used;
  }

  add(piece: Buffer): void {
    const length = this.used + piece.length;
    if (this.bytes === null || length > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(CAPACITY_MIN, length * 2));
      this.bytes?.copy(grown, 0, 0, this.used);
      this.bytes = grown;
    }
    piece.copy(this.bytes, this.used);
    this.used = length;
  }

  /** What is in it; valid until the next add(). */
  view(): Buffer {
    return this.bytes?.subarray(0, this.used) ?? Buffer.alloc(0);
  }

  clear(): void {
    this.bytes = null;
    this.used = 0;
  }
}
