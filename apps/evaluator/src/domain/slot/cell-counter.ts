import type { PackReader, PackWriter } from '@app/shared';
import type { Cells } from '../summary.js';

const COUNT_LIMIT = 2 ** 32;
const CAPACITY_MIN = 16;

/**
 * Counts by a key below 2^20. Adding costs a store into an array; equal keys are merged when the array is full and
 * when the counts are read. An entry is key * 2^32 + count: it sorts by key and is exact in a double.
 */
export class CellCounter {
  private entries = new Float64Array(CAPACITY_MIN);
  private length = 0;
  private merged = true;
  private sum = 0;

  /** Sum of all counts. */
  get total(): number {
    return this.sum;
  }

  add(key: number, count = 1): void {
    if (this.length === this.entries.length) this.makeRoom();
    this.entries[this.length++] = key * COUNT_LIMIT + count;
    this.sum += count;
    this.merged = false;
  }

  /** Keys in rising order with their counts; a copy. */
  cells(): Cells {
    this.merge();
    const keys = new Uint32Array(this.length);
    const counts = new Uint32Array(this.length);
    for (let i = 0; i < this.length; i++) {
      const entry = this.entries[i]!;
      keys[i] = Math.floor(entry / COUNT_LIMIT);
      counts[i] = entry % COUNT_LIMIT;
    }
    return { keys, counts };
  }

  /** The same counts always give the same bytes. */
  pack(writer: PackWriter): void {
    packCells(writer, this.cells());
  }

  static unpack(reader: PackReader): CellCounter {
    return CellCounter.of(unpackCells(reader));
  }

  /** Counts to go on from. */
  static of({ keys, counts }: Cells): CellCounter {
    const counter = new CellCounter();
    for (let i = 0; i < keys.length; i++) counter.add(keys[i]!, counts[i]);
    return counter;
  }

  private makeRoom(): void {
    this.merge();
    if (this.length * 2 <= this.entries.length) return;
    const grown = new Float64Array(this.entries.length * 2);
    grown.set(this.entries);
    this.entries = grown;
  }

  private merge(): void {
    if (this.merged) return;
    const { entries } = this;
    entries.subarray(0, this.length).sort();
    let last = 0;
    for (let i = 1; i < this.length; i++) {
      const entry = entries[i]!;
      if (Math.floor(entry / COUNT_LIMIT) === Math.floor(entries[last]! / COUNT_LIMIT))
        entries[last]! += entry % COUNT_LIMIT;
      else entries[++last] = entry;
    }
    this.length = last + 1;
    this.merged = true;
  }
}

/** Keys as differences, so that most entries take two or three bytes. */
export function packCells(writer: PackWriter, { keys, counts }: Cells): void {
  writer.uint(keys.length);
  let previous = 0;
  for (let i = 0; i < keys.length; i++) {
    writer.uint(keys[i]! - previous).uint(counts[i]!);
    previous = keys[i]!;
  }
}

export function unpackCells(reader: PackReader): Cells {
  const length = reader.uint();
  const keys = new Uint32Array(length);
  const counts = new Uint32Array(length);
  let key = 0;
  for (let i = 0; i < length; i++) {
    key += reader.uint();
    keys[i] = key;
    counts[i] = reader.uint();
  }
  return { keys, counts };
}
