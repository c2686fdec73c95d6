import type { Checks, ErrorRateCheck, PackReader, PackWriter, ShadowCheck } from '@app/shared';
import type { PairedCounts, PairShare } from '../summary.js';
import { errorCeiling, shareCeiling, shareFloor } from './ceiling.js';
import { lnMean } from './kernel.js';
import { PairedTest } from './paired-test.js';
import { ShareWatch } from './share-watch.js';

/**
 * What the pairs of a rollout's shadow steps say, answer against answer: failures and wrong answers by McNemar's test,
 * the canary's failures where stable answered against the error ceiling, and how often both say the same. A pair has both
 * arms in one, so what both suffer from is nobody's fault, and no share of the users has to be found out about.
 */
export class ShadowEvidence {
  readonly errorCheck: ErrorRateCheck | null;
  readonly check: ShadowCheck;
  readonly errors: PairedTest | null;
  /** Of pairs that stable answered, those in which the canary failed. */
  readonly ceiling: ShareWatch | null;
  /** Of pairs in which both said something, those in which they disagree. */
  readonly agreement: ShareWatch;
  readonly accuracy: PairedTest | null;
  /** Pairs so far; those in which the canary failed, in which stable did. */
  pairs = 0;
  canaryFailed = 0;
  stableFailed = 0;

  constructor({ errorRate, accuracy, shadow }: Checks) {
    this.errorCheck = errorRate ?? null;
    this.check = shadow ?? {};
    const { maxDrop, minAgreement } = this.check;
    this.errors = errorRate ? new PairedTest(errorRate.maxIncrease, errorRate) : null;
    const ceiling = errorRate && errorRate.max < 1 ? errorCeiling(errorRate.max) : null;
    this.ceiling = ceiling && new ShareWatch({ fail: ceiling, pass: null });
    const disagreementMax = minAgreement === undefined ? null : 1 - minAgreement;
    this.agreement = new ShareWatch({
      fail: disagreementMax === null ? null : shareCeiling(disagreementMax),
      pass: disagreementMax === null ? null : shareFloor(disagreementMax),
    });
    this.accuracy = maxDrop === undefined ? null : new PairedTest(maxDrop, { strict: accuracy?.strict ?? false });
  }

  /** Folds a share, of routing time `tMs` since the rollout began; returns how many copies the canary answered in it. */
  fold({ answers, accuracy }: PairShare, tMs: number): number {
    if (accuracy) this.accuracy?.fold(tMs, accuracy);
    if (!answers) return 0;
    const { errors, agreement } = answers;
    const { bothBad } = errors;
    const [n, worse, better] = [errors.groupN, errors.groupWorse, errors.groupBetter].map(sum) as [
      number,
      number,
      number,
    ];
    this.pairs += n;
    this.canaryFailed += worse + bothBad;
    this.stableFailed += better + bothBad;
    this.errors?.fold(tMs, errors);
    this.ceiling?.fold(tMs, answeredByStable(errors));
    this.agreement.fold(tMs, agreement);
    return n - worse - bothBad;
  }

  evaluate(): void {
    for (const part of [this.errors, this.ceiling, this.agreement, this.accuracy]) part?.evaluate();
  }

  /** ln of the mean E of all that can fail. */
  lnFail(): number {
    return lnMean([this.lnFailOfErrors(), this.lnFailOfAgreement(), this.accuracy?.lnFail()].filter(isKnown));
  }

  lnFailOfErrors(): number | undefined {
    const parts = [this.errors, this.ceiling].flatMap((part) => (part ? [part.lnFail()] : []));
    return parts.length === 0 ? undefined : lnMean(parts);
  }

  lnFailOfAgreement(): number | undefined {
    return this.check.minAgreement === undefined ? undefined : this.agreement.lnFail();
  }

  write(out: PackWriter): void {
    out.uint(this.pairs).uint(this.canaryFailed).uint(this.stableFailed);
    for (const part of [this.errors, this.ceiling, this.agreement, this.accuracy]) part?.write(out);
  }

  read(from: PackReader): void {
    this.pairs = from.uint();
    this.canaryFailed = from.uint();
    this.stableFailed = from.uint();
    for (const part of [this.errors, this.ceiling, this.agreement, this.accuracy]) part?.read(from);
  }
}

/** Pairs less those that stable failed; those in which both did, of whatever group, are taken where there is room. */
function answeredByStable({ groupN, groupWorse, groupBetter, bothBad }: PairedCounts): PairedCounts {
  let left = bothBad;
  const answered = groupN.map((n, g) => {
    const room = Math.min(left, n - (groupWorse[g] ?? 0) - (groupBetter[g] ?? 0));
    left -= room;
    return n - (groupBetter[g] ?? 0) - room;
  });
  return { groupN: answered, groupWorse, groupBetter: [], bothBad: 0 };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const isKnown = (value: number | undefined): value is number => value !== undefined;
