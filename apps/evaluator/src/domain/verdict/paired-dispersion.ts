import type { PackReader, PackWriter } from '@app/shared';
import type { PairedCounts } from '../summary.js';
import { packCounts, unpackCounts } from './pack-counts.js';
import { GROUPS } from './cell-digest.js';

const LEVERAGE_MIN = 0.02;

/**
 * The sticky-user correction of pairs: how much more the user groups' differences scatter than those of independent
 * predictions would. As Stickiness, on D = 1, 0, -1 in place of bad and good:
 * S = (64/63) sum_g [(d_g - m n_g) / max(.02, 1 - n_g/n)]^2 / (n v), less 2 sqrt(2/63 + 1/(n v)), at least 1, with m the
 * mean difference, v its variance in one pair, and d_g, n_g a group's sum and number. The largest so far is kept.
 */
export class PairedDispersion {
  d = 1;
  private readonly groupN = new Float64Array(GROUPS);
  private readonly groupWorse = new Float64Array(GROUPS);
  private readonly groupBetter = new Float64Array(GROUPS);

  /** Adds pairs by group, and returns what all groups have of them. */
  add(counts: PairedCounts): { n: number; worse: number; better: number } {
    const added = { n: 0, worse: 0, better: 0 };
    for (let g = 0; g < GROUPS; g++) {
      const n = counts.groupN[g] ?? 0;
      const worse = Math.min(n, counts.groupWorse[g] ?? 0);
      const better = Math.min(n - worse, counts.groupBetter[g] ?? 0);
      this.groupN[g]! += n;
      this.groupWorse[g]! += worse;
      this.groupBetter[g]! += better;
      added.n += n;
      added.worse += worse;
      added.better += better;
    }
    return added;
  }

  /** Brings the correction up to date. */
  update(): number {
    const n = sum(this.groupN);
    if (n === 0) return this.d;
    const worse = sum(this.groupWorse);
    const better = sum(this.groupBetter);
    const mean = (worse - better) / n;
    const variance = (worse + better) / n - mean * mean;
    if (!(variance > 0)) return this.d;
    let squares = 0;
    for (let g = 0; g < GROUPS; g++) {
      const difference = this.groupWorse[g]! - this.groupBetter[g]! - mean * this.groupN[g]!;
      squares += (difference / Math.max(LEVERAGE_MIN, 1 - this.groupN[g]! / n)) ** 2;
    }
    const scatter = ((GROUPS / (GROUPS - 1)) * squares) / (n * variance);
    this.d = Math.max(this.d, scatter - 2 * Math.sqrt(2 / (GROUPS - 1) + 1 / (n * variance)));
    return this.d;
  }

  write(out: PackWriter): void {
    for (const counts of [this.groupN, this.groupWorse, this.groupBetter]) packCounts(out, counts);
    out.float(this.d);
  }

  read(from: PackReader): void {
    for (const counts of [this.groupN, this.groupWorse, this.groupBetter]) unpackCounts(from, counts);
    this.d = from.float();
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
