import { CELL_CLASS, cellBin, cellClass, cellGroup, cellKey, type Cells, NO_CELLS } from '../summary.js';

/** User groups, by a hash independent of the assignment's. */
export const GROUPS = 64;
/** No latency is above it. */
export const NO_BIN = 2048;

/** What makes an outcome bad: its class is in the mask (1 << CellClass), or its latency bin is above `aboveBin`. */
export interface Badness {
  readonly classes: number;
  /** At most NO_BIN. */
  readonly aboveBin: number;
}

/**
 * What all looks at a bucket ask of the same cells, counted once. Cells lie in the order of group, class and latency: of
 * a group come the ok ones first, the slowest of them last, then the others, some few in a hundred. So nobody has to go
 * through all of them to find the bad ones.
 */
export class CellDigest {
  private cells = NO_CELLS;
  total = 0;
  /** By user group. */
  readonly groupN = new Float64Array(GROUPS);
  private okTotal = 0;
  /** Index after a group's last ok cell; 0: it has none. */
  private readonly okEnd = new Uint32Array(GROUPS);
  /** Indexes of the cells whose class is not ok; the first `othersLength` of them. */
  private others = new Uint32Array(64);
  private othersLength = 0;

  isOf(cells: Cells): boolean {
    return this.cells === cells;
  }

  /** Counts another table, which is not changed any more. */
  take(cells: Cells): this {
    const { keys, counts } = cells;
    const { groupN, okEnd } = this;
    if (this.others.length < keys.length) this.others = new Uint32Array(2 * keys.length);
    const { others } = this;
    groupN.fill(0);
    okEnd.fill(0);
    let okTotal = 0;
    let othersTotal = 0;
    let othersLength = 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const count = counts[i]!;
      const group = cellGroup(key);
      groupN[group]! += count;
      if (cellClass(key) === CELL_CLASS.ok) {
        okTotal += count;
        okEnd[group] = i + 1;
      } else {
        othersTotal += count;
        others[othersLength++] = i;
      }
    }
    this.cells = cells;
    this.total = okTotal + othersTotal;
    this.okTotal = okTotal;
    this.othersLength = othersLength;
    return this;
  }

  /** How many are bad. */
  count({ classes, aboveBin }: Badness): number {
    const { keys, counts } = this.cells;
    let total = 0;
    if ((classes & OK) !== 0) total = this.okTotal;
    else if (aboveBin < NO_BIN) for (let g = 0; g < GROUPS; g++) total += this.okAbove(g, aboveBin);
    for (let i = 0; i < this.othersLength; i++) {
      const at = this.others[i]!;
      if (isBad(keys[at]!, classes, aboveBin)) total += counts[at]!;
    }
    return total;
  }

  /** Adds the bad ones to `into` by user group; returns how many there are. Ok ones are bad only where they are slow. */
  addBadTo(into: Float64Array, { classes, aboveBin }: Badness): number {
    const { keys, counts } = this.cells;
    let total = 0;
    if (aboveBin < NO_BIN)
      for (let g = 0; g < GROUPS; g++) {
        const slow = this.okAbove(g, aboveBin);
        into[g]! += slow;
        total += slow;
      }
    for (let i = 0; i < this.othersLength; i++) {
      const at = this.others[i]!;
      const key = keys[at]!;
      if (!isBad(key, classes, aboveBin)) continue;
      into[cellGroup(key)]! += counts[at]!;
      total += counts[at]!;
    }
    return total;
  }

  /** Adds the ok ones to `into` by user group. */
  addOkTo(into: Float64Array): void {
    const { keys, counts } = this.cells;
    for (let g = 0; g < GROUPS; g++) into[g]! += this.groupN[g]!;
    for (let i = 0; i < this.othersLength; i++) {
      const at = this.others[i]!;
      into[cellGroup(keys[at]!)]! -= counts[at]!;
    }
  }

  /** Ok ones of a group that are slower than a bin. */
  private okAbove(group: number, aboveBin: number): number {
    const { keys, counts } = this.cells;
    const edge = cellKey(group, CELL_CLASS.ok, aboveBin);
    let total = 0;
    for (let i = this.okEnd[group]! - 1; i >= 0 && keys[i]! > edge; i--) total += counts[i]!;
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

const OK = 1 << CELL_CLASS.ok;

function isBad(key: number, classes: number, aboveBin: number): boolean {
  return ((classes >>> cellClass(key)) & 1) === 1 || cellBin(key) > aboveBin;
}

/** How many of the outcomes are bad. */
export function countBad(cells: Cells, bad: Badness): number {
  return digestOf(cells).count(bad);
}
