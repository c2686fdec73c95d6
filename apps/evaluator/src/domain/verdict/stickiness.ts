import type { PackReader, PackWriter } from '@app/shared';
import type { Cells } from '../summary.js';
import { type Badness, digestOf, GROUPS } from './cell-digest.js';
import { packCounts, unpackCounts } from './pack-counts.js';

const LEVERAGE_MIN = 0.02;

interface Totals {
  n: number;
  x: number;
}

/**
 * D, the sticky-user correction: users come back, so their requests are correlated and carry less evidence than as
 * many independent ones. Estimated from how much more the user groups' bad counts scatter than independent ones would;
 * it divides the accumulated ln E. The largest value so far is kept, since a correction that shrinks would let evidence
 * jump. (Quasi-likelihood dispersion over groups, leverage-corrected, less an allowance of two standard errors.)
 */
export class Stickiness {
  /** Control is 0, the canary 1. */
  private readonly n = [new Float64Array(GROUPS), new Float64Array(GROUPS)] as const;
  private readonly x = [new Float64Array(GROUPS), new Float64Array(GROUPS)] as const;
  private readonly totals: [Totals, Totals] = [
    { n: 0, x: 0 },
    { n: 0, x: 0 },
  ];
  /** Largest correction so far, at least 1. */
  d = 1;

  /** Adds one arm's outcomes and returns how many of them are bad. */
  addCells(arm: 0 | 1, cells: Cells, bad: Badness): number {
    const digest = digestOf(cells);
    const { groupN } = digest;
    const n = this.n[arm];
    for (let g = 0; g < GROUPS; g++) n[g]! += groupN[g]!;
    const total = digest.addBadTo(this.x[arm], bad);
    this.totals[arm].n += digest.total;
    this.totals[arm].x += total;
    return total;
  }

  /** Adds one arm's counts by group. */
  addGroups(arm: 0 | 1, n: ArrayLike<number>, x: ArrayLike<number>): void {
    const [intoN, intoX, totals] = [this.n[arm], this.x[arm], this.totals[arm]];
    for (let g = 0; g < GROUPS; g++) {
      const [inGroup, bad] = [n[g] ?? 0, x[g] ?? 0];
      intoN[g]! += inGroup;
      intoX[g]! += bad;
      totals.n += inGroup;
      totals.x += bad;
    }
  }

  /** Brings the correction up to date; unchanged until both arms have counts. */
  update(): number {
    const [control, canary] = this.totals;
    if (canary.n === 0 || control.n === 0) return this.d;
    const d1 = dispersion(this.n[1], this.x[1], canary);
    const d0 = dispersion(this.n[0], this.x[0], control);
    const both = (d1 / canary.n + d0 / control.n) / (1 / canary.n + 1 / control.n);
    if (both > this.d) this.d = both;
    return this.d;
  }

  write(out: PackWriter): void {
    for (const arm of [0, 1] as const) {
      packCounts(out, this.n[arm]);
      packCounts(out, this.x[arm]);
    }
    out.float(this.d);
  }

  read(from: PackReader): this {
    for (const arm of [0, 1] as const) {
      unpackCounts(from, this.n[arm]);
      unpackCounts(from, this.x[arm]);
      this.totals[arm] = { n: sum(this.n[arm]), x: sum(this.x[arm]) };
    }
    this.d = from.float();
    return this;
  }
}

/**
 * D_a = max(1, S_a - 2 sqrt(2/63 + 1/(n p (1-p)))), with
 * S_a = (64/63) sum_g [(x_g - p n_g) / max(.02, 1 - n_g/n)]^2 / (n p (1-p)); 1 where all or none are bad.
 */
function dispersion(n: Float64Array, x: Float64Array, totals: Totals): number {
  if (totals.x === 0 || totals.x === totals.n) return 1;
  const p = totals.x / totals.n;
  const variance = totals.n * p * (1 - p);
  let squares = 0;
  for (let g = 0; g < GROUPS; g++) {
    const r = (x[g]! - p * n[g]!) / Math.max(LEVERAGE_MIN, 1 - n[g]! / totals.n);
    squares += r * r;
  }
  const s = ((GROUPS / (GROUPS - 1)) * squares) / variance;
  return Math.max(1, s - 2 * Math.sqrt(2 / (GROUPS - 1) + 1 / variance));
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
