import { FisherSums } from './fisher-sums.js';

/**
 * The H-kernel: an e-process for "the canary's odds of being bad are more than o times control's", on buckets of counts.
 * Given a bucket's margins, the number of bad ones on the canary is Fisher's noncentral hypergeometric; the likelihood
 * ratio between the odds o g and o has mean <= 1 for every true odds ratio <= o (g > 1; mirrored for g < 1). A mixture
 * of such products is a nonnegative supermartingale, so it may be looked at after every bucket (Ville).
 */
export interface Grid {
  /** Odds ratios of the alternatives, relative to the line. */
  readonly g: Float64Array;
  readonly lnG: Float64Array;
  /** ln of their prior weights, which sum to 1. */
  readonly lnPrior: Float64Array;
}

export const FAIL_GRID = grid(
  [1.05, 1.1, 1.2, 1.4, 1.8, 2.6, 4.2, 7.4, 13.8, 26.6],
  [0.06, 0.14, 0.2, 0.2, 0.16, 0.1, 0.06, 0.04, 0.02, 0.02],
);
export const PASS_GRID = grid([0.95, 0.9, 0.8, 0.65, 0.45, 0.2], [0.15, 0.25, 0.25, 0.2, 0.1, 0.05]);

function grid(g: readonly number[], prior: readonly number[]): Grid {
  return {
    g: Float64Array.from(g),
    lnG: Float64Array.from(g, Math.log),
    lnPrior: Float64Array.from(prior, Math.log),
  };
}

const sums = new FisherSums();

/** Counts of one bucket: n predictions and x bad ones; 1 is the canary, 0 is control. */
export interface BucketCounts {
  readonly n1: number;
  readonly x1: number;
  readonly n0: number;
  readonly x0: number;
}

/**
 * Writes into `out` what a bucket adds to ln E of each alternative: x1 ln g - ln Z(o g) + ln Z(o).
 * Returns false, and leaves `out` alone, if the bucket says nothing: an arm is empty, all or none are bad, the line is
 * not a positive number, or the counts are not counts.
 */
export function kernelStep(counts: BucketCounts, line: number, alternatives: Grid, out: Float64Array): boolean {
  const { n1, x1, n0, x0 } = counts;
  if (!(x1 >= 0 && x1 <= n1 && x0 >= 0 && x0 <= n0) || !(line > 0 && line < Infinity)) return false;
  if (!sums.prepare(n1, n0, x1 + x0)) return false;
  const base = sums.lnSum(line);
  const { g, lnG } = alternatives;
  sums.lnSums(line, g, out);
  for (let k = 0; k < g.length; k++) out[k] = (x1 - sums.ref) * lnG[k]! - out[k]! + base;
  return true;
}

/** ln sum_k prior_k exp(acc[from + k] / d): the evidence of accumulated steps, d the sticky-user correction. */
export function lnEvidence(acc: Float64Array, from: number, alternatives: Grid, d: number): number {
  const { lnPrior } = alternatives;
  const size = lnPrior.length;
  for (let k = 0; k < size; k++) terms[k] = lnPrior[k]! + acc[from + k]! / d;
  return lnSum(terms, size);
}

/** Scratch of one sum. */
const terms = new Float64Array(16);
/** e to this is nothing beside 1 in a double. */
const LN_NOTHING = -40;

/** ln of the sum of e^values, of the first `size` values. */
export function lnSum(values: Float64Array, size: number): number {
  let max = -Infinity;
  for (let k = 0; k < size; k++) if (values[k]! > max) max = values[k]!;
  if (max === -Infinity) return max;
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const below = values[k]! - max;
    if (below > LN_NOTHING) sum += Math.exp(below);
  }
  return max + Math.log(sum);
}

/** ln(exp(a) + exp(b)) without overflow. */
export function lnAdd(a: number, b: number): number {
  const max = Math.max(a, b);
  return max === -Infinity ? max : max + Math.log1p(Math.exp(Math.min(a, b) - max));
}

/** ln of the mean of e^a and e^b: a check's evidence is half of one kind and half of another. */
export function lnHalf(a: number, b: number): number {
  return lnAdd(a, b) - Math.LN2;
}

/** ln of the mean of e^values; ln 1 of an empty list, since no evidence is E = 1. */
export function lnMean(values: readonly number[]): number {
  if (values.length === 0) return 0;
  let sum = -Infinity;
  for (const v of values) sum = lnAdd(sum, v);
  return sum - Math.log(values.length);
}
