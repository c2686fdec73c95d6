import type { PackReader, PackWriter } from '@app/shared';
import type { PairedCounts } from '../summary.js';
import { confidenceRadius, informationWanted, mixtureScale } from './confidence.js';
import { FreshStarts } from './fresh-starts.js';
import { FAIL_GRID, type Grid, lnHalf, lnSum, PASS_GRID } from './kernel.js';
import { PairedDispersion } from './paired-dispersion.js';

/** What each bet gains, in logs, from a pair in which only the canary was bad, only stable was, or both fared alike. */
interface Bets {
  readonly lnPrior: Float64Array;
  readonly lnWorse: Float64Array;
  readonly lnBetter: Float64Array;
  readonly lnAlike: Float64Array;
}

/** Sums of pairs: worse, better, alike. */
const WIDTH = 3;
const END_ALPHA = 0.025;
const sums = new Float64Array(WIDTH);
const terms = new Float64Array(16);

/**
 * McNemar's comparison of two versions on the same predictions, as an e-process that may be looked at after every pair.
 *
 * A pair's difference D is 1 if only the canary was bad, -1 if only stable was, else 0. Whatever the share of discordant
 * pairs is, and however it changes, E_k = prod (1 + b_k (D - d)) is a nonnegative supermartingale while the mean of D,
 * given what came before, is at most d (FAIL; mirrored, prod (1 + b_k (d - D)), while it is at least d: PASS): betting on
 * a bounded mean, Waudby-Smith and Ramdas (2023), "Estimating means of bounded random variables by betting", section 4;
 * their mixture over fixed bets b_k is one, too (Ville's inequality then bounds ever crossing 1/alpha by alpha).
 *
 * The bets are those of the kernel's grids: b = (g-1) / ((g+1)(1+d)) for FAIL, b = (1-g) / ((1+g)(1-d)) for PASS. With
 * d = 0 a pair in which both fare alike changes nothing, and E is the mixture over g of the binomial likelihood ratios of
 * odds g against 1 among the discordant pairs: McNemar's test. (For d > 0 an odds bound (s+d)/(s-d) among discordant
 * pairs would need their share s, which has to be estimated, and is not a bound where the estimate is wrong.)
 */
export class PairedTest {
  n = 0;
  worse = 0;
  better = 0;
  bothBad = 0;
  private readonly fail: Bets;
  private readonly pass: Bets;
  private readonly dispersion = new PairedDispersion();
  private readonly starts = new FreshStarts(WIDTH);
  private lnFailNow = 0;
  private lnPassNow = 0;
  private dirty = false;

  /** @param limit d, 0 < d < 1. `strict`: FAIL at any difference. */
  constructor(
    private readonly limit: number,
    { strict }: { readonly strict: boolean },
  ) {
    this.fail = failBets(strict ? 0 : limit);
    this.pass = passBets(limit);
  }

  /** Adds pairs, at routing time `tMs` since the rollout began. */
  fold(tMs: number, counts: PairedCounts): void {
    const added = this.dispersion.add(counts);
    if (added.n === 0) return;
    this.n += added.n;
    this.worse += added.worse;
    this.better += added.better;
    this.bothBad += counts.bothBad;
    sums[0] = added.worse;
    sums[1] = added.better;
    sums[2] = added.n - added.worse - added.better;
    this.starts.add(tMs, sums);
    this.dirty = true;
  }

  evaluate(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const d = this.dispersion.update();
    const cumulative = lnWealth(this.fail, this.starts.sums, 0, d);
    const fresh = this.starts.lnFresh((all, from) => lnWealth(this.fail, all, from, d), cumulative);
    this.lnFailNow = lnHalf(cumulative, fresh);
    this.lnPassNow = lnWealth(this.pass, this.starts.sums, 0, d);
  }

  /** ln E that the canary is worse by more than the limit: half since the rollout began, half fresh starts. */
  lnFail(): number {
    return this.lnFailNow;
  }

  /** ln E that it is worse by less than the limit. */
  lnPass(): number {
    return this.lnPassNow;
  }

  /** Mean difference; null before the first pair. */
  difference(): number | null {
    return this.n === 0 ? null : (this.worse - this.better) / this.n;
  }

  /** Two-sided 95 % interval of the mean difference that holds at every look; for display. */
  interval(): [number, number] | null {
    const value = this.difference();
    if (value === null) return null;
    const { n, worse, better } = this;
    // At least that of one more pair that differs: where all differ in one direction, nothing would be left.
    const variance = Math.max((worse + better + 1) / (n + 1) - value * value, 1 / (n + 1));
    const rho = mixtureScale(informationWanted(END_ALPHA, this.limit), END_ALPHA);
    const radius = confidenceRadius(n / (variance * this.dispersion.d), rho, END_ALPHA);
    return [value - radius, value + radius];
  }

  /** Growth of ln E for PASS a pair, of a canary that is no different: at the best bet. */
  passGrowth(): number {
    const discordant = (this.worse + this.better + 0.5) / (this.n + 1);
    const { lnWorse, lnBetter, lnAlike, lnPrior } = this.pass;
    let best = 0;
    for (let k = 0; k < lnPrior.length; k++) {
      const growth = (discordant / 2) * (lnWorse[k]! + lnBetter[k]!) + (1 - discordant) * lnAlike[k]!;
      best = Math.max(best, growth);
    }
    return best / this.dispersion.d;
  }

  write(out: PackWriter): void {
    out.uint(this.n).uint(this.worse).uint(this.better).uint(this.bothBad);
    this.dispersion.write(out);
    this.starts.write(out);
    out
      .float(this.lnFailNow)
      .float(this.lnPassNow)
      .uint(this.dirty ? 1 : 0);
  }

  read(from: PackReader): void {
    this.n = from.uint();
    this.worse = from.uint();
    this.better = from.uint();
    this.bothBad = from.uint();
    this.dispersion.read(from);
    this.starts.read(from);
    this.lnFailNow = from.float();
    this.lnPassNow = from.float();
    this.dirty = from.uint() === 1;
  }
}

/** ln of the mixture's wealth after the pairs whose sums begin at `from`; d divides, as it does the kernel's. */
function lnWealth({ lnPrior, lnWorse, lnBetter, lnAlike }: Bets, all: Float64Array, from: number, d: number): number {
  const worse = all[from]!;
  const better = all[from + 1]!;
  const alike = all[from + 2]!;
  for (let k = 0; k < lnPrior.length; k++)
    terms[k] = lnPrior[k]! + (worse * lnWorse[k]! + better * lnBetter[k]! + alike * lnAlike[k]!) / d;
  return lnSum(terms, lnPrior.length);
}

function failBets(d: number): Bets {
  return betsOf(FAIL_GRID, d, (g) => (g - 1) / ((g + 1) * (1 + d)));
}

function passBets(d: number): Bets {
  return betsOf(PASS_GRID, d, (g) => -(1 - g) / ((1 + g) * (1 - d)));
}

/** A bet b on D - d; of PASS it is negative. */
function betsOf({ g, lnPrior }: Grid, d: number, bet: (g: number) => number): Bets {
  const ln = (difference: number): Float64Array =>
    Float64Array.from(g, (odds) => Math.log1p(bet(odds) * (difference - d)));
  return { lnPrior, lnWorse: ln(1), lnBetter: ln(-1), lnAlike: ln(0) };
}
