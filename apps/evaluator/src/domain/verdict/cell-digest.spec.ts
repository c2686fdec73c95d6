import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/builders.js';
import { CellCounter } from '../slot/cell-counter.js';
import { CELL_CLASS, cellBin, cellClass, cellGroup, cellKey, type CellClass, type Cells } from '../summary.js';
import { type Badness, CellDigest, digestOf, GROUPS, NO_BIN } from './cell-digest.js';

const random = seededRandom(5);
const upTo = (n: number): number => Math.floor(random() * n);

function someCells(size: number): Cells {
  const counter = new CellCounter();
  for (let i = 0; i < size; i++) {
    const kind = random() < 0.8 ? CELL_CLASS.ok : (upTo(4) as CellClass);
    counter.add(cellKey(upTo(random() < 0.5 ? GROUPS : 3), kind, random() < 0.1 ? upTo(2048) : 180 + upTo(60)));
  }
  return counter.cells();
}

/** By user group, cell by cell. */
function goneThrough(cells: Cells, wanted: (key: number) => boolean): Float64Array {
  const found = new Float64Array(GROUPS);
  cells.keys.forEach((key, i) => (found[cellGroup(key)]! += wanted(key) ? cells.counts[i]! : 0));
  return found;
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const isBad =
  ({ classes, aboveBin }: Badness) =>
  (key: number): boolean =>
    ((classes >>> cellClass(key)) & 1) === 1 || cellBin(key) > aboveBin;

describe('a digest of cells', () => {
  it('finds what going through all cells finds', () => {
    for (let run = 0; run < 300; run++) {
      const cells = someCells(upTo(run));
      const digest = new CellDigest().take(cells);
      const bad = { classes: 2 * upTo(8), aboveBin: random() < 0.3 ? NO_BIN : random() < 0.1 ? 0 : 180 + upTo(60) };
      const into = new Float64Array(GROUPS);
      expect(digest.addBadTo(into, bad)).toBe(sum(goneThrough(cells, isBad(bad))));
      expect(into).toEqual(goneThrough(cells, isBad(bad)));
      expect(digest.count(bad)).toBe(sum(into));
      const ok = new Float64Array(GROUPS);
      digest.addOkTo(ok);
      expect(ok).toEqual(goneThrough(cells, (key) => cellClass(key) === CELL_CLASS.ok));
      expect(digest.count({ classes: 1 << CELL_CLASS.ok, aboveBin: NO_BIN })).toBe(sum(ok));
      expect(digest.groupN).toEqual(goneThrough(cells, () => true));
      expect(digest.total).toBe(sum(digest.groupN));
    }
  });

  it('is that of the table asked for, however many there are', () => {
    const tables = Array.from({ length: 9 }, (_, i) => someCells(20 + i));
    for (let i = 0; i < 200; i++) {
      const cells = tables[upTo(tables.length)]!;
      expect(digestOf(cells).total).toBe(sum(goneThrough(cells, () => true)));
    }
  });
});
