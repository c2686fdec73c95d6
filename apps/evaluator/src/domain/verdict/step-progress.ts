import type { PackReader, PackWriter } from '@app/shared';
import { packFloats, unpackFloats } from './pack-counts.js';

/** How far the present step is: what counted in it, what was left out, and its time. */
export class StepProgress {
  step = -1;
  /** Predictions of final buckets that count. */
  canary = 0;
  stable = 0;
  /** Predictions of all final buckets of the step, and of those left out because records of them are missing. */
  finished = 0;
  leftOut = 0;
  private firstRoutedMs = -1;
  private newestRoutedMs = -1;
  /** Log time of the cut that brought the step's first bucket. */
  private firstBucketAsOfMs = -1;
  /** Log time from which the step's time limit counts. */
  private clockFromMs = -1;
  private resumedAt = -1;

  /** Enters a step; the time limit counts anew also after a person has resumed it. */
  enter(step: number, resumedAt: number): void {
    if (step !== this.step) this.restore([step, 0, 0, 0, 0, -1, -1, -1, -1, resumedAt]);
    else if (resumedAt !== this.resumedAt) {
      this.resumedAt = resumedAt;
      this.clockFromMs = -1;
    }
  }

  seen(routedFromMs: number, routedToMs: number): void {
    if (this.firstRoutedMs < 0 || routedFromMs < this.firstRoutedMs) this.firstRoutedMs = routedFromMs;
    if (routedToMs > this.newestRoutedMs) this.newestRoutedMs = routedToMs;
  }

  endCut(asOfMs: number): void {
    if (this.firstBucketAsOfMs < 0 && this.firstRoutedMs >= 0) this.firstBucketAsOfMs = asOfMs;
    if (this.clockFromMs < 0) this.clockFromMs = asOfMs;
  }

  /**
   * Time gone by since the step's first bucket, ms: the lesser of routing time and log time, so that a router whose
   * clock is wrong cannot end a step early.
   */
  elapsedMs(asOfMs: number): number {
    if (this.firstBucketAsOfMs < 0) return 0;
    return Math.max(0, Math.min(this.newestRoutedMs - this.firstRoutedMs, asOfMs - this.firstBucketAsOfMs));
  }

  /** Log time since the step was entered or resumed, ms. */
  onClockMs(asOfMs: number): number {
    return this.clockFromMs < 0 ? 0 : Math.max(0, asOfMs - this.clockFromMs);
  }

  /** Share of predictions that could not be counted because records of their buckets are missing. */
  lostShare(): number {
    return this.leftOut === 0 ? 0 : this.leftOut / (this.leftOut + this.finished);
  }

  write(out: PackWriter): void {
    packFloats(out, this.figures());
  }

  read(from: PackReader): this {
    const figures = new Float64Array(this.figures().length);
    unpackFloats(from, figures);
    this.restore(figures);
    return this;
  }

  private figures(): number[] {
    return [
      this.step,
      this.canary,
      this.stable,
      this.finished,
      this.leftOut,
      this.firstRoutedMs,
      this.newestRoutedMs,
      this.firstBucketAsOfMs,
      this.clockFromMs,
      this.resumedAt,
    ];
  }

  private restore(figures: ArrayLike<number> & Iterable<number>): void {
    const [step, canary, stable, finished, leftOut, firstRouted, newestRouted, firstAsOf, clockFrom, resumedAt] =
      figures;
    this.step = step!;
    this.canary = canary!;
    this.stable = stable!;
    this.finished = finished!;
    this.leftOut = leftOut!;
    this.firstRoutedMs = firstRouted!;
    this.newestRoutedMs = newestRouted!;
    this.firstBucketAsOfMs = firstAsOf!;
    this.clockFromMs = clockFrom!;
    this.resumedAt = resumedAt!;
  }
}
