import type { PackReader, PackWriter } from '@app/shared';
import { type Cells, NO_CELLS } from '../summary.js';

/** Keys that were added and not sorted in yet: so many, or as many as there are others, but never more than the second. */
const FRESH_MIN = 256;
const FRESH_MAX = 4096;
/** So few are sorted by insertion. */
const FEW = 24;
const scratch = new Uint32Array(FRESH_MAX);

/**
 * Counts by a key below 2^20. Adding costs a push onto an array; equal keys are merged when the counts are read, or when
 * there are many.
 */
export class CellCounter {
  /** Never changed, only replaced: it may have been handed out. */
  private merged: Cells = NO_CELLS;
  private readonly fresh: number[] = [];
  private mergedTotal = 0;

  /** Sum of all counts. */
  get total(): number {
    return this.mergedTotal + this.fresh.length;
  }

  add(key: number): void {
    if (this.fresh.push(key) >= FRESH_MIN) this.mergeIfMany();
  }

  /** Keys in rising order with their counts; not to be changed. */
  cells(): Cells {
    if (this.fresh.length > 0) this.merge();
    return this.merged;
  }

  /** As it stands. The same keys in the same order give the same bytes if cells() was called at the same places. */
  pack(writer: PackWriter): void {
    packCells(writer, this.merged);
    const { fresh } = this;
    writer.uint(fresh.length);
    for (let i = 0; i < fresh.length; i++) writer.uint(fresh[i]!);
  }

  static unpack(reader: PackReader): CellCounter {
    const counter = CellCounter.of(unpackCells(reader));
    for (let left = reader.uint(); left > 0; left--) counter.fresh.push(reader.uint());
    return counter;
  }

  /** Counts to go on from. */
  static of(cells: Cells): CellCounter {
    const counter = new CellCounter();
    counter.merged = cells;
    for (const count of cells.counts) counter.mergedTotal += count;
    return counter;
  }

  private mergeIfMany(): void {
    const { length } = this.fresh;
    if (length >= FRESH_MAX || length >= this.merged.keys.length) this.merge();
  }

  private merge(): void {
    const { fresh, merged } = this;
    if (fresh.length > FEW) sortMany(fresh);
    else sortFew(fresh);
    this.merged = withKeys(merged, fresh);
    this.mergedTotal += fresh.length;
    fresh.length = 0;
  }
}

/** In place, by insertion. */
function sortFew(keys: number[]): void {
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
}

/** In place, by a typed array, which needs no function to compare. */
function sortMany(keys: number[]): void {
  const sorted = scratch.subarray(0, keys.length);
  for (let i = 0; i < keys.length; i++) sorted[i] = keys[i]!;
  sorted.sort();
  for (let i = 0; i < keys.length; i++) keys[i] = sorted[i]!;
}

/** Cells and one more for each of these keys, which are in order and may be equal. */
function withKeys(cells: Cells, more: readonly number[]): Cells {
  const length = distinct(cells.keys, more);
  const keys = new Array<number>(length);
  const counts = new Array<number>(length);
  let [i, j] = [0, 0];
  for (let at = 0; at < length; at++) {
    const mine = i < cells.keys.length ? cells.keys[i]! : Number.POSITIVE_INFINITY;
    const theirs = j < more.length ? more[j]! : Number.POSITIVE_INFINITY;
    const key = mine < theirs ? mine : theirs;
    let count = mine === key ? cells.counts[i++]! : 0;
    for (; j < more.length && more[j] === key; j++) count++;
    keys[at] = key;
    counts[at] = count;
  }
  return { keys, counts };
}

/** How many different keys there are in both. */
function distinct(keys: readonly number[], more: readonly number[]): number {
  let length = keys.length;
  let i = 0;
  for (let j = 0; j < more.length; j++) {
    const key = more[j]!;
    if (j > 0 && key === more[j - 1]) continue;
    while (i < keys.length && keys[i]! < key) i++;
    if (i === keys.length || keys[i] !== key) length++;
  }
  return length;
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
  if (length === 0) return NO_CELLS;
  const keys = new Array<number>(length);
  const counts = new Array<number>(length);
  let key = 0;
  for (let i = 0; i < length; i++) {
    key += reader.uint();
    keys[i] = key;
    counts[i] = reader.uint();
  }
  return { keys, counts };
}
