import type { Cells } from '../summary.js';

/** User groups, by a hash independent of the assignment's. */
export const GROUPS = 64;
/** No latency is above it. */
export const NO_BIN = 2048;

/** What makes an outcome bad: its class is in the mask (1 << CellClass), or its latency bin is above `aboveBin` (at most NO_BIN). */
export interface Badness {
  readonly classes: number;
  readonly aboveBin: number;
}

/**
 * What all looks at a bucket ask of the same cells, counted once: how many there are by user group, and which are not ok,
 * some few in a hundred. What latency has nothing to do with is then read off those few.
 */
export class CellDigest {
  private cells: Cells = { keys: new Uint32Array(0), counts: new Uint32Array(0) };
  total = 0;
  /** By user group. */
  readonly groupN = new Float64Array(GROUPS);
  /** Indexes of the cells whose class is not ok, in the order of their keys; `notOkLength` of them. */
  private notOk = new Uint32Array(64);
  private notOkLength = 0;
  private okTotal = 0;

  isOf(cells: Cells): boolean {
    return this.cells === cells;
  }

  /** Counts another table, which is not changed any more. */
  take(cells: Cells): this {
    const { keys, counts } = cells;
    const { groupN } = this;
    if (this.notOk.length < keys.length) this.notOk = new Uint32Array(2 * keys.length);
    const { notOk } = this;
    groupN.fill(0);
    let total = 0;
    let bad = 0;
    let length = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const count = counts[i]!;
      groupN[(key >>> 13) & 63]! += count;
      total += count;
      if ((key & CLASS_BITS) === 0) continue;
      bad += count;
      notOk[length++] = i;
    }
    this.cells = cells;
    this.total = total;
    this.okTotal = total - bad;
    this.notOkLength = length;
    return this;
  }

  /** How many are bad. */
  count(bad: Badness): number {
    const { keys, counts } = this.cells;
    const { classes, aboveBin } = bad;
    let total = 0;
    if (aboveBin < NO_BIN) {
      for (let i = 0; i < keys.length; i++) total += counts[i]! & -oneIfBad(keys[i]!, classes, aboveBin);
      return total;
    }
    for (let i = 0; i < this.notOkLength; i++) {
      const at = this.notOk[i]!;
      total += counts[at]! & -oneIfBad(keys[at]!, classes, aboveBin);
    }
    return (classes & 1) === 1 ? total + this.okTotal : total;
  }

  /** Adds the ok ones to `into` by user group. */
  addOkTo(into: Float64Array): void {
    const { keys, counts } = this.cells;
    for (let g = 0; g < GROUPS; g++) into[g]! += this.groupN[g]!;
    for (let i = 0; i < this.notOkLength; i++) {
      const at = this.notOk[i]!;
      into[(keys[at]! >>> 13) & 63]! -= counts[at]!;
    }
  }

  /** Adds the bad ones to `into` by user group; returns how many there are. */
  addBadTo(into: Float64Array, { classes, aboveBin }: Badness): number {
    const { keys, counts } = this.cells;
    const { notOk } = this;
    const all = aboveBin < NO_BIN || (classes & 1) === 1;
    const length = all ? keys.length : this.notOkLength;
    let total = 0;
    for (let i = 0; i < length; i++) {
      const at = all ? i : notOk[i]!;
      const key = keys[at]!;
      const count = counts[at]! & -oneIfBad(key, classes, aboveBin);
      into[(key >>> 13) & 63]! += count;
      total += count;
    }
    return total;
  }
}

/** Looks at a bucket follow each other: of both arms, to the last byte and to the first. */
const KEPT = 4;
const kept = Array.from({ length: KEPT }, () => new CellDigest());
let next = 0;

/** Good until three other tables have been asked for. */
export function digestOf(cells: Cells): CellDigest {
  for (const digest of kept) if (digest.isOf(cells)) return digest;
  const digest = kept[next]!;
  next = (next + 1) % KEPT;
  return digest.take(cells);
}

const CLASS_BITS = 3 << 11;

/** Without a branch: half of a p50's outcomes are bad, and no processor foresees which. */
function oneIfBad(key: number, classes: number, aboveBin: number): number {
  return ((classes >>> ((key >>> 11) & 3)) & 1) | ((aboveBin - (key & 2047)) >>> 31);
}
