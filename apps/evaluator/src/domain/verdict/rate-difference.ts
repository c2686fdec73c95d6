import type { PackReader, PackWriter } from '@app/shared';
import { confidenceRadius, informationWanted, mixtureScale } from './confidence.js';
import type { BucketCounts } from './kernel.js';

/** One-sided level of each end of the two-sided 95 % interval that is shown. */
const END_ALPHA = 0.025;

/**
 * The difference of two rates over buckets, each weighted by h = n1 n0 / (n1 + n0) so that only arms of the same moment
 * are compared. For display: the decision is the kernel's.
 */
export class RateDifference {
  private h = 0;
  private u = 0;
  private hhPerN1 = 0;
  private hhPerN0 = 0;
  /** Of the interval: the scale it was last asked for, and the mixture's rho for it. */
  private scale = Number.NaN;
  private rho = Number.NaN;

  add({ n1, x1, n0, x0 }: BucketCounts): void {
    if (!(n1 > 0) || !(n0 > 0)) return;
    const h = (n1 * n0) / (n1 + n0);
    this.h += h;
    this.u += h * (x1 / n1 - x0 / n0);
    this.hhPerN1 += (h * h) / n1;
    this.hhPerN0 += (h * h) / n0;
  }

  /** Canary minus control; null before there is any. */
  value(): number | null {
    return this.h > 0 ? this.u / this.h : null;
  }

  /**
   * Two-sided 95 % interval that holds at every look. A bucket may hold one request, so the variance of a single
   * outcome is taken from the whole arm, and D times of it.
   *
   * @param totals of the same buckets.
   * @param d sticky-user correction.
   * @param scale the difference it should be sharpest for, above 0: the limit.
   */
  interval(totals: BucketCounts, d: number, scale: number): [number, number] | null {
    const value = this.value();
    if (value === null) return null;
    const q =
      outcomeVariance(totals.n1, totals.x1) * this.hhPerN1 + outcomeVariance(totals.n0, totals.x0) * this.hhPerN0;
    const information = (this.h * this.h) / (q * d);
    if (scale !== this.scale) {
      this.scale = scale;
      this.rho = mixtureScale(informationWanted(END_ALPHA, scale), END_ALPHA);
    }
    const radius = confidenceRadius(information, this.rho, END_ALPHA);
    return [value - radius, value + radius];
  }

  write(out: PackWriter): void {
    out.float(this.h).float(this.u).float(this.hhPerN1).float(this.hhPerN0);
  }

  read(from: PackReader): void {
    this.h = from.float();
    this.u = from.float();
    this.hhPerN1 = from.float();
    this.hhPerN0 = from.float();
  }
}

/** p (1-p), p kept away from 0 and 1 as half an outcome would. */
function outcomeVariance(n: number, x: number): number {
  const p = (x + 0.5) / (n + 1);
  return p * (1 - p);
}
