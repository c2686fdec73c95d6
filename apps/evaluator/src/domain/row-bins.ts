import type { PackWriter } from '@app/shared';

const BIN_BITS = 11;
const BIN_MASK = 2 ** BIN_BITS - 1;

/**
 * What was counted in one batch, by row and bin: a list that is sorted once, for most bins of most rows are empty. Rows
 * are numbered from 0, bins go up to 2047.
 */
export class RowBins {
  private entries = new Uint32Array(4096);
  private length = 0;
  /** Where each row's entries begin among the sorted ones; beyond their end if it has none. */
  private begins = new Int32Array(64);

  add(row: number, bin: number): void {
    if (this.length === this.entries.length) {
      const grown = new Uint32Array(this.entries.length * 2);
      grown.set(this.entries);
      this.entries = grown;
    }
    this.entries[this.length++] = (row << BIN_BITS) | bin;
  }

  /** To be called between the last add() and the first pack(). */
  sort(): void {
    const entries = this.entries.subarray(0, this.length).sort();
    const rows = entries.length === 0 ? 0 : (entries[entries.length - 1]! >>> BIN_BITS) + 1;
    if (this.begins.length < rows) this.begins = new Int32Array(rows * 2);
    this.begins.fill(entries.length);
    for (let at = entries.length - 1; at >= 0; at--) this.begins[entries[at]! >>> BIN_BITS] = at;
  }

  /** Writes a row's counts as packWindow() does: how many bins, then each as a difference and its count. */
  pack(row: number, writer: PackWriter): void {
    const { entries, length } = this;
    const from = this.begins[row] ?? length;
    let end = from;
    let bins = 0;
    for (; end < length && entries[end]! >>> BIN_BITS === row; end++)
      if (end === from || entries[end] !== entries[end - 1]) bins++;
    writer.uint(bins);
    let previous = 0;
    for (let at = from; at < end;) {
      const entry = entries[at]!;
      const first = at;
      do at++;
      while (at < end && entries[at] === entry);
      writer.uint((entry & BIN_MASK) - previous).uint(at - first);
      previous = entry & BIN_MASK;
    }
  }

  clear(): void {
    this.length = 0;
  }
}
