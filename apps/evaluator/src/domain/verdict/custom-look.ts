import type { CustomCheck, PackReader, PackWriter } from '@app/shared';
import type { ValueSums } from '../arm-details.js';
import { confidenceRadius, informationWanted, mixtureScale } from './confidence.js';
import { FreshStarts } from './fresh-starts.js';
import { lnHalf } from './kernel.js';
import {
  ArmValues,
  lnBeyond,
  MEAN_VALUES_MIN,
  MEAN_WIDTH,
  type MeanDifference,
  meanDifference,
  meanStep,
  type Spread,
} from './means.js';
import { packFloats, unpackFloats } from './pack-counts.js';

/** One-sided level of each end of the two-sided 95 % interval that is shown. */
const END_ALPHA = 0.025;
/** Least standard deviation of one value, in smallest effects of interest. */
const SPREAD_LEAST = 0.1;
const step = new Float64Array(MEAN_WIDTH);

/** The levels that make the mixture sharpest where they are wanted. */
export interface MeanLevels {
  readonly alpha: number;
  readonly beta: number;
}

/**
 * The mean of a number of the user's own. All inside is in the direction of worse: a drop of what should be high counts
 * as an increase. FAIL as for every check, half since the rollout began and half from fresh starts; PASS on the values of
 * this step, or since the rollout began where they come from labels.
 */
export class CustomLook {
  /** Control first. */
  readonly arms = [new ArmValues(), new ArmValues()] as const;
  /** Sticky-user correction: the largest so far. */
  d = 1;
  private readonly sign: 1 | -1;
  private readonly failSums = new FreshStarts(MEAN_WIDTH);
  private readonly stepSums = new Float64Array(MEAN_WIDTH);
  private step = 0;
  private dirty = false;
  private lnFailNow = 0;
  private lnPassNow = 0;

  constructor(
    /** custom.<name> */
    readonly check: string,
    readonly spec: CustomCheck,
    private readonly levels: MeanLevels,
  ) {
    this.sign = spec.worse === 'higher' ? 1 : -1;
  }

  /** Folds one stratum: the values of both arms of the same moment. */
  fold(canary: ValueSums, control: ValueSums, at: { readonly tMs: number; readonly step: number }): void {
    if (!meanStep(canary, control, step)) return;
    this.dirty = true;
    this.arms[0].add(control);
    this.arms[1].add(canary);
    this.failSums.add(at.tMs, step);
    if (this.spec.from === 'answer' && at.step > this.step) this.beginStep(at.step);
    if (this.spec.from === 'label' || at.step === this.step)
      for (let i = 0; i < MEAN_WIDTH; i++) this.stepSums[i]! += step[i]!;
  }

  /** After a return to an earlier step its evidence begins anew. */
  backTo(to: number): void {
    if (this.spec.from === 'answer' && to < this.step) this.beginStep(to);
  }

  private beginStep(to: number): void {
    this.step = to;
    this.stepSums.fill(0);
    this.dirty = true;
  }

  /** Brings the figures up to date; once after the strata of a cut. */
  evaluate(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.updateCorrection();
    const spread = this.spread();
    const { alpha, beta } = this.levels;
    const lnFail = (sums: Float64Array, from: number): number =>
      this.lnE(meanDifference(sums, from, spread), (worse) => worse - this.spec.limit, alpha);
    const cumulative = lnFail(this.failSums.sums, 0);
    this.lnFailNow = lnHalf(cumulative, this.failSums.lnFresh(lnFail, cumulative));
    this.lnPassNow = this.lnE(meanDifference(this.stepSums, 0, spread), (worse) => this.spec.limit - worse, beta);
  }

  /** ln E that the canary's mean is worse by more than the limit. */
  lnFail(): number {
    return this.lnFailNow;
  }

  /** ln E that it is not, on the values of this step (or all, from labels). */
  lnPass(ofStep: number): number {
    return this.spec.from === 'label' || ofStep === this.step ? this.lnPassNow : 0;
  }

  /** Canary minus control over all strata. */
  difference(): MeanDifference | null {
    return meanDifference(this.failSums.sums, 0, this.spread());
  }

  /** Two-sided 95 % interval of the difference that holds at every look; null until there are enough values. */
  interval(): [number, number] | null {
    const found = this.difference();
    if (!found || found.n1 < MEAN_VALUES_MIN || !Number.isFinite(found.information)) return null;
    const rho = mixtureScale(informationWanted(END_ALPHA, this.spec.minEffect), END_ALPHA);
    const radius = confidenceRadius(found.information, rho, END_ALPHA);
    return [found.delta - radius, found.delta + radius];
  }

  /** Canary values still to go until PASS, if there is no true difference; 0: none, null: not known. */
  valuesToGo(ofStep: number, lnWanted: number): number | null {
    if (this.lnPass(ofStep) >= lnWanted) return 0;
    const now = ofStep === this.step || this.spec.from === 'label' ? this.stepDifference() : null;
    if (!now || !Number.isFinite(now.information)) return null;
    const { beta } = this.levels;
    const near = (worse: number): number => this.spec.limit - worse;
    // Information grows with the values; what is still to come shows no difference.
    const passesAt = (times: number): boolean => {
      const grown = { n1: now.n1 * times, delta: now.delta / times, information: now.information * times };
      return this.lnE(grown, near, beta) >= lnWanted;
    };
    let high = 2;
    while (!passesAt(high)) if ((high *= 2) > 1e6) return null;
    let low = high / 2;
    for (let i = 0; i < 20; i++) {
      const middle = (low + high) / 2;
      if (passesAt(middle)) high = middle;
      else low = middle;
    }
    return Math.ceil(now.n1 * (high - 1));
  }

  private stepDifference(): MeanDifference | null {
    return meanDifference(this.stepSums, 0, this.spread());
  }

  private lnE(found: MeanDifference | null, beyond: (worse: number) => number, alpha: number): number {
    if (!found || found.n1 < MEAN_VALUES_MIN) return 0;
    const rho = mixtureScale(informationWanted(alpha, this.spec.minEffect), alpha);
    return lnBeyond(beyond(this.sign * found.delta), found.information, rho);
  }

  private spread(): Spread {
    // Values that do not vary would be taken for certainty; a variance that is larger than it is only makes it slower.
    const least = (SPREAD_LEAST * this.spec.minEffect) ** 2;
    const of = (arm: ArmValues): number => this.d * Math.max(least, arm.variance());
    return { canary: of(this.arms[1]), control: of(this.arms[0]) };
  }

  private updateCorrection(): void {
    const [control, canary] = this.arms;
    const [v0, v1] = [control.variance() / control.n, canary.variance() / canary.n];
    if (!(v0 + v1 > 0)) return;
    const both = (canary.dispersion() * v1 + control.dispersion() * v0) / (v1 + v0);
    if (both > this.d) this.d = both;
  }

  write(out: PackWriter): void {
    for (const arm of this.arms) arm.write(out);
    this.failSums.write(out);
    packFloats(out, this.stepSums);
    out.uint(this.step).uint(this.dirty ? 1 : 0);
    packFloats(out, [this.d, this.lnFailNow, this.lnPassNow]);
  }

  read(from: PackReader): this {
    for (const arm of this.arms) arm.read(from);
    this.failSums.read(from);
    unpackFloats(from, this.stepSums);
    this.step = from.uint();
    this.dirty = from.uint() === 1;
    this.d = from.float();
    this.lnFailNow = from.float();
    this.lnPassNow = from.float();
    return this;
  }
}
