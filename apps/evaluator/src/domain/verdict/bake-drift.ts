import type { PackReader, PackWriter } from '@app/shared';
import { QUANTILE_VALUE } from '@app/shared';
import { sketchUpperEdgeMs } from '../sketch.js';
import type { ArmCounts } from '../summary.js';
import { lnShareEvidence, shareCeiling } from './ceiling.js';
import { type ChecksPlan, ERROR, slowerThan } from './checks-plan.js';
import { lnMean } from './kernel.js';
import { countBad } from './cell-digest.js';

const SHARE_MAX = 0.95;

/** One figure of the canary in the bake against what control's was at the end of the last step. */
interface Figure {
  /** Share of bad ones that is still within the limit. */
  readonly share: number;
  /** Latency bin above which is bad; null: errors. */
  readonly aboveBin: number | null;
  readonly firstByte: boolean;
  n: number;
  x: number;
}

/** What a person is told of a figure. */
export interface DriftFigure {
  readonly n: number;
  readonly bad: number;
  /** Share of bad ones that is still within the limit. */
  readonly share: number;
  /** Bad is slower than this; null: bad is an error. */
  readonly aboveMs: number | null;
}

const lnFigure = ({ share, n, x }: Figure): number => lnShareEvidence(shareCeiling(share), n, Math.min(n, x));

/**
 * In the bake there is no control left. What the last step knew of it is frozen, and the canary's errors and latencies
 * are held against it; drift is a reason to hold and to look, never to roll back, since the traffic may have changed.
 */
export class BakeDrift {
  private figures: Figure[] = [];

  /** Freezes control's figures: its error rate (null: not known) and each quantile's limit bin. */
  freeze(plan: ChecksPlan, errorRate: number | null, limitBins: readonly (number | null)[]): void {
    this.figures = [];
    if (plan.errors && errorRate !== null) {
      const share = Math.min(SHARE_MAX, errorRate + plan.errors.maxIncrease);
      this.figures.push({ share, aboveBin: null, firstByte: false, n: 0, x: 0 });
    }
    plan.quantiles.forEach(({ quantile, source }, i) => {
      const aboveBin = limitBins[i] ?? null;
      if (aboveBin === null) return;
      const share = 1 - QUANTILE_VALUE[quantile];
      this.figures.push({ share, aboveBin, firstByte: source === 'firstByte', n: 0, x: 0 });
    });
  }

  /** Adds a final bucket of the bake, its warm-up left out. */
  add(canary: ArmCounts): void {
    for (const figure of this.figures) {
      const cells = figure.firstByte ? canary.firstByte : canary.cells;
      figure.n += canary.routed;
      figure.x += countBad(cells, figure.aboveBin === null ? ERROR : slowerThan(figure.aboveBin));
    }
  }

  /** ln of the mean E that a figure is beyond its limit. */
  lnE(): number {
    return lnMean(this.figures.map(lnFigure));
  }

  /** The figure that speaks most against the canary; null while nothing is frozen. */
  worst(): DriftFigure | null {
    let worst: Figure | null = null;
    for (const figure of this.figures) if (!worst || lnFigure(figure) > lnFigure(worst)) worst = figure;
    if (!worst) return null;
    const { n, x, share, aboveBin } = worst;
    return { n, bad: x, share, aboveMs: aboveBin === null ? null : sketchUpperEdgeMs(aboveBin) };
  }

  write(out: PackWriter): void {
    out.uint(this.figures.length);
    for (const { share, aboveBin, firstByte, n, x } of this.figures)
      out
        .float(share)
        .uintOrNone(aboveBin ?? -1)
        .uint(firstByte ? 1 : 0)
        .uint(n)
        .uint(x);
  }

  read(from: PackReader): this {
    this.figures = Array.from({ length: from.uint() }, () => {
      const share = from.float();
      const bin = from.uintOrNone();
      return { share, aboveBin: bin < 0 ? null : bin, firstByte: from.uint() === 1, n: from.uint(), x: from.uint() };
    });
    return this;
  }
}
