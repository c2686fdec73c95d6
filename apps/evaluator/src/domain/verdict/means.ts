import type { PackReader, PackWriter } from '@app/shared';
import type { ValueSums } from '../arm-details.js';
import { packFloats, unpackFloats } from './pack-counts.js';
import { GROUPS } from './cell-digest.js';

/**
 * Means of two arms, compared stratum by stratum: each stratum (a bucket, or a stratum of labels) says how the arms
 * differ at the same moment, h = n1 n0 / (n1 + n0) times as loudly.
 *
 *   delta = U / sum h,  U = sum h (m1 - m0);   V = Q / (sum h)^2,  Q = sum h^2 (s1^2/n1 + s0^2/n0);   I = 1/V
 *
 * A bucket may hold one request, so the variance s^2 of an arm is taken from all its values: drift that both arms share
 * makes it larger, which is the safe side. Normal mixture of H. Robbins (1970) in the asymptotic form of Waudby-Smith et
 * al. (2021): it holds at every look once the arms have enough values for a mean to be normal.
 */
export const MEAN_VALUES_MIN = 100;

/** Numbers that a stratum adds up: n1, h, h (m1 - m0), h^2/n1, h^2/n0. */
export const MEAN_WIDTH = 5;

/** Writes what a stratum adds into `out`; false if an arm has no value in it, or one that is no number. */
export function meanStep(
  canary: { readonly n: number; readonly sum: number },
  control: { readonly n: number; readonly sum: number },
  out: Float64Array,
): boolean {
  const [n1, n0] = [canary.n, control.n];
  if (!(n1 > 0) || !(n0 > 0) || !Number.isFinite(canary.sum) || !Number.isFinite(control.sum)) return false;
  const h = (n1 * n0) / (n1 + n0);
  out[0] = n1;
  out[1] = h;
  out[2] = h * (canary.sum / n1 - control.sum / n0);
  out[3] = (h * h) / n1;
  out[4] = (h * h) / n0;
  return true;
}

/** Variance of one value of each arm, with the sticky-user correction in it. */
export interface Spread {
  readonly canary: number;
  readonly control: number;
}

export interface MeanDifference {
  /** Values of the canary. */
  readonly n1: number;
  /** Canary minus control. */
  readonly delta: number;
  /** 1/V. */
  readonly information: number;
}

/** Reads the difference off sums of steps; null before any. */
export function meanDifference(sums: ArrayLike<number>, from: number, spread: Spread): MeanDifference | null {
  const h = sums[from + 1]!;
  if (!(h > 0)) return null;
  const q = spread.canary * sums[from + 3]! + spread.control * sums[from + 4]!;
  return { n1: sums[from]!, delta: sums[from + 2]! / h, information: (h * h) / q };
}

/**
 * ln E that a mean is beyond a line, `beyond` past it (negative: on the near side): the level at which the one-sided
 * interval of confidence.ts would end at the line, so E >= 1/alpha exactly when the radius at alpha is at most `beyond`.
 *
 *   E = 2 sqrt(rho / (I + rho)) (exp(y) - 1),  y = (I beyond)^2 / (2 (I + rho));   0 on the near side
 *
 * It is below the one-sided normal mixture 2 sqrt(rho / (I+rho)) exp(y) Phi(sqrt(2y)), a nonnegative martingale.
 * Where the values do not vary at all, the sign alone decides nothing: ln E = 0.
 */
export function lnBeyond(beyond: number, information: number, rho: number): number {
  if (!Number.isFinite(information) || !(information > 0)) return 0;
  if (!(beyond > 0)) return -Infinity;
  const both = information + rho;
  const y = (information * beyond) ** 2 / (2 * both);
  return Math.LN2 + 0.5 * Math.log(rho / both) + y + Math.log1p(-Math.exp(-y));
}

/** One arm's values so far: their variance, and how much they scatter by user. */
export class ArmValues {
  n = 0;
  sum = 0;
  private squares = 0;
  private readonly groupN = new Float64Array(GROUPS);
  private readonly groupSum = new Float64Array(GROUPS);

  add({ n, sum, squares, groups }: ValueSums): void {
    this.n += n;
    this.sum += sum;
    this.squares += squares;
    for (const of of groups) {
      this.groupN[of.group]! += of.n;
      this.groupSum[of.group]! += of.sum;
    }
  }

  mean(): number | null {
    return this.n === 0 ? null : this.sum / this.n;
  }

  /** Of one value. */
  variance(): number {
    return this.n < 2 ? 0 : Math.max(0, this.squares - (this.sum * this.sum) / this.n) / (this.n - 1);
  }

  /**
   * D of this arm, as for rates (stickiness.ts): S = (64/63) sum_g [(sum_g - m n_g) / max(.02, 1 - n_g/n)]^2 / (n s^2), less
   * two standard errors of it; at least 1.
   */
  dispersion(): number {
    const variance = this.variance();
    if (!(variance > 0)) return 1;
    const mean = this.sum / this.n;
    let squares = 0;
    for (let g = 0; g < GROUPS; g++) {
      const r = (this.groupSum[g]! - mean * this.groupN[g]!) / Math.max(LEVERAGE_MIN, 1 - this.groupN[g]! / this.n);
      squares += r * r;
    }
    const s = ((GROUPS / (GROUPS - 1)) * squares) / (this.n * variance);
    return Math.max(1, s - 2 * Math.sqrt(2 / (GROUPS - 1)));
  }

  write(out: PackWriter): void {
    packFloats(out, [this.n, this.sum, this.squares]);
    packFloats(out, this.groupN);
    packFloats(out, this.groupSum);
  }

  read(from: PackReader): void {
    this.n = from.float();
    this.sum = from.float();
    this.squares = from.float();
    unpackFloats(from, this.groupN);
    unpackFloats(from, this.groupSum);
  }
}

const LEVERAGE_MIN = 0.02;
