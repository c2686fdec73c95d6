import type { PackReader, PackWriter } from '@app/shared';
import { lnFloor } from './floor.js';
import { FreshStarts } from './fresh-starts.js';
import { type BucketCounts, FAIL_GRID, kernelStep, lnEvidence, lnHalf, PASS_GRID } from './kernel.js';
import { packFloats, unpackFloats } from './pack-counts.js';
import { RateDifference } from './rate-difference.js';
import { Stickiness } from './stickiness.js';

const FAIL_SIZE = FAIL_GRID.g.length;
const PASS_SIZE = PASS_GRID.g.length;
const failStep = new Float64Array(FAIL_SIZE);
const passStep = new Float64Array(PASS_SIZE);

/** One bucket (or stratum of labels) as a look folds it. */
export interface LookBucket extends BucketCounts {
  /** Routing time since the rollout began, ms. */
  readonly tMs: number;
  /** Index of the step that routed it. */
  readonly step: number;
  /** Lines in odds; null: control's base rate is not known yet, so nothing can be said. */
  readonly failLine: number | null;
  readonly passLine: number | null;
}

/** Evidence for PASS over some span: the kernel's sums, and the canary's counts for the floor. */
class PassSums {
  readonly acc = new Float64Array(PASS_SIZE);
  n1 = 0;
  x1 = 0;

  add(n1: number, x1: number, step: Float64Array | null): void {
    this.n1 += n1;
    this.x1 += x1;
    if (step) for (let k = 0; k < PASS_SIZE; k++) this.acc[k]! += step[k]!;
  }

  /** With an absolute limit half of the evidence is the floor's. */
  lnE(d: number, floorLimit: number | null): number {
    const kernel = lnEvidence(this.acc, 0, PASS_GRID, d);
    if (floorLimit === null) return kernel;
    return lnHalf(kernel, lnFloor(this.n1, this.x1, floorLimit));
  }

  clear(): void {
    this.acc.fill(0);
    this.n1 = 0;
    this.x1 = 0;
  }

  write(out: PackWriter): void {
    packFloats(out, this.acc);
    out.uint(this.n1).uint(this.x1);
  }

  read(from: PackReader): void {
    unpackFloats(from, this.acc);
    this.n1 = from.uint();
    this.x1 = from.uint();
  }
}

/** What a look is for. `floorLimit`: the absolute limit, where there is one. */
export interface LookUse {
  readonly fail: boolean;
  readonly pass: boolean;
  readonly floorLimit: number | null;
}

/**
 * One way of looking at buckets (errors early, errors final, slower than the p99 ...): the kernel's evidence that the
 * canary is beyond its line since the rollout began and since each fresh start, and that it is within it, in this step
 * and since the rollout began; with a sticky-user correction of its own.
 */
export class Look {
  readonly stickiness = new Stickiness();
  /** Totals since the rollout began. */
  n1 = 0;
  x1 = 0;
  n0 = 0;
  x0 = 0;
  readonly difference = new RateDifference();
  private readonly failSums = new FreshStarts(FAIL_SIZE);
  private readonly stepSums = new PassSums();
  private readonly allSums = new PassSums();
  private step = 0;
  private dirty = false;
  private lnCumulativeNow = 0;
  private lnFreshNow = -Infinity;
  private lnFailNow = lnHalf(0, -Infinity);
  private lnPassStepNow = 0;
  private lnPassAllNow = 0;

  constructor(private readonly use: LookUse) {}

  /** Folds a bucket whose user groups have been added to `stickiness` already. */
  fold(bucket: LookBucket): void {
    const { n1, x1, n0, x0, tMs, step, failLine, passLine } = bucket;
    this.dirty = true;
    this.n1 += n1;
    this.x1 += x1;
    this.n0 += n0;
    this.x0 += x0;
    this.difference.add(bucket);
    if (this.use.fail && failLine !== null) {
      const says = kernelStep(bucket, failLine, FAIL_GRID, failStep);
      this.failSums.add(tMs, says ? failStep : NOTHING);
    }
    if (!this.use.pass || passLine === null || n0 === 0) return;
    const says = kernelStep(bucket, passLine, PASS_GRID, passStep) ? passStep : null;
    if (step > this.step) this.beginStep(step);
    if (step === this.step) this.stepSums.add(n1, x1, says);
    this.allSums.add(n1, x1, says);
  }

  private beginStep(step: number): void {
    this.step = step;
    this.stepSums.clear();
    this.dirty = true;
  }

  /** After a return to an earlier step its evidence begins anew. */
  backTo(step: number): void {
    if (step < this.step) this.beginStep(step);
  }

  /** Brings the figures up to date; to be called once after the buckets of a cut. */
  evaluate(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const d = this.stickiness.update();
    if (this.use.fail) {
      this.lnCumulativeNow = lnEvidence(this.failSums.sums, 0, FAIL_GRID, d);
      this.lnFreshNow = this.failSums.lnFresh(
        (sums, from) => lnEvidence(sums, from, FAIL_GRID, d),
        this.lnCumulativeNow,
      );
      this.lnFailNow = lnHalf(this.lnCumulativeNow, this.lnFreshNow);
    }
    if (this.use.pass) {
      this.lnPassStepNow = this.stepSums.lnE(d, this.use.floorLimit);
      this.lnPassAllNow = this.allSums.lnE(d, this.use.floorLimit);
    }
  }

  /** ln E that the canary is beyond the line: half since the rollout began, half fresh starts; 0 before any bucket. */
  lnFail(): number {
    return this.failSums.begun ? this.lnFailNow : 0;
  }

  lnCumulative(): number {
    return this.lnCumulativeNow;
  }

  lnFresh(): number {
    return this.lnFreshNow;
  }

  /** ln E that the canary is within the limit, on this step's buckets; 0 if the newest buckets are of another step. */
  lnPassOfStep(step: number): number {
    return step === this.step ? this.lnPassStepNow : 0;
  }

  /** The same on all buckets since the rollout began. */
  lnPassOfAll(): number {
    return this.lnPassAllNow;
  }

  write(out: PackWriter): void {
    this.stickiness.write(out);
    out.uint(this.n1).uint(this.x1).uint(this.n0).uint(this.x0).uint(this.step);
    this.difference.write(out);
    if (this.use.fail) this.failSums.write(out);
    if (this.use.pass) {
      this.stepSums.write(out);
      this.allSums.write(out);
    }
    out.uint(this.dirty ? 1 : 0);
    packFloats(out, [this.lnCumulativeNow, this.lnFreshNow, this.lnPassStepNow, this.lnPassAllNow]);
  }

  read(from: PackReader): this {
    this.stickiness.read(from);
    this.n1 = from.uint();
    this.x1 = from.uint();
    this.n0 = from.uint();
    this.x0 = from.uint();
    this.step = from.uint();
    this.difference.read(from);
    if (this.use.fail) this.failSums.read(from);
    if (this.use.pass) {
      this.stepSums.read(from);
      this.allSums.read(from);
    }
    this.dirty = from.uint() === 1;
    this.lnCumulativeNow = from.float();
    this.lnFreshNow = from.float();
    this.lnFailNow = lnHalf(this.lnCumulativeNow, this.lnFreshNow);
    this.lnPassStepNow = from.float();
    this.lnPassAllNow = from.float();
    return this;
  }
}

const NOTHING = new Float64Array(FAIL_SIZE);
