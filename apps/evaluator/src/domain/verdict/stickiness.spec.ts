import { describe, expect, it } from 'vitest';
import { cellsOf } from '../../../../../test/fixtures/summaries.js';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import { CELL_CLASS } from '../summary.js';
import { ERROR, slowerThan } from './checks-plan.js';
import { countBad, GROUPS } from './cell-digest.js';
import { Stickiness } from './stickiness.js';

describe('the sticky-user correction', () => {
  it('is 1 until both arms have counts, and while nothing or everything is bad', () => {
    const sticky = new Stickiness();
    const some = new Float64Array(GROUPS).fill(10);
    sticky.addGroups(1, some, new Float64Array(GROUPS).fill(1));
    expect(sticky.update()).toBe(1);
    sticky.addGroups(0, some, new Float64Array(GROUPS));
    expect(sticky.update()).toBe(1);
  });

  it('stays near 1 for independent users', () => {
    const random = seededRandom(7);
    const sticky = new Stickiness();
    for (const arm of [0, 1] as const) {
      const n = new Float64Array(GROUPS).fill(500);
      sticky.addGroups(
        arm,
        n,
        n.map((count) => binomial(random, count, 0.05)),
      );
    }
    expect(sticky.update()).toBeLessThan(1.3);
  });

  it('grows when a few users have all the bad ones, and never shrinks', () => {
    const sticky = new Stickiness();
    const n = new Float64Array(GROUPS).fill(100);
    sticky.addGroups(
      0,
      n,
      n.map((_, g) => (g === 3 ? 100 : 0)),
    );
    sticky.addGroups(
      1,
      n,
      n.map((_, g) => (g === 5 ? 100 : 0)),
    );
    const large = sticky.update();
    expect(large).toBeGreaterThan(50);
    for (const arm of [0, 1] as const)
      sticky.addGroups(
        arm,
        n.map((v) => v * 100),
        n.map((v) => v * 5),
      );
    expect(sticky.update()).toBe(large);
  });

  it('reads errors and slowness off the same cells', () => {
    const cells = cellsOf([
      { group: 0, latencyMs: 10 },
      { group: 1, latencyMs: 500 },
      { group: 1, cellClass: CELL_CLASS.error, latencyMs: 5 },
      { group: 2, cellClass: CELL_CLASS.clientError },
      { group: 3, cellClass: CELL_CLASS.cancelled },
    ]);
    expect(countBad(cells, ERROR)).toBe(2);
    expect(countBad(cells, slowerThan(200))).toBe(2);
    expect(new Stickiness().addCells(1, cells, ERROR)).toBe(2);
  });
});

function binomial(random: () => number, n: number, p: number): number {
  let x = 0;
  for (let i = 0; i < n; i++) if (random() < p) x++;
  return x;
}
