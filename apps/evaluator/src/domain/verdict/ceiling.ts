import { FAIL_GRID, type Grid, lnSum, PASS_GRID } from './kernel.js';

/**
 * A test of one arm alone against a fixed share `nullShare` of bad ones: E = sum_k prior_k (p_k/p)^x ((1-p_k)/(1-p))^(n-x).
 * A nonnegative supermartingale while the true share is at most `nullShare`; x may be a lower bound of the bad ones.
 */
export interface ShareTest {
  readonly lnPrior: Float64Array;
  /** ln(p_k / p) and ln((1-p_k) / (1-p)). */
  readonly lnBad: Float64Array;
  readonly lnGood: Float64Array;
}

/** The error ceiling: alternatives at max + (1 - max) {.1, .3, .6, .95}, equally likely. */
export function errorCeiling(max: number): ShareTest {
  return shareTest(
    max,
    [0.1, 0.3, 0.6, 0.95].map((share) => max + (1 - max) * share),
    [0.25, 0.25, 0.25, 0.25],
  );
}

/** A share that must not be exceeded, with alternatives at its odds times the FAIL grid; of a maxMs at quantile q: 1-q. */
export function shareCeiling(nullShare: number): ShareTest {
  return shareTestOfOdds(nullShare, FAIL_GRID);
}

/** The other way round: that the share is below, with alternatives at its odds times the PASS grid. */
export function shareFloor(nullShare: number): ShareTest {
  return shareTestOfOdds(nullShare, PASS_GRID);
}

function shareTestOfOdds(nullShare: number, { g, lnPrior }: Grid): ShareTest {
  const odds = nullShare / (1 - nullShare);
  return shareTest(
    nullShare,
    Array.from(g, (ratio) => (odds * ratio) / (1 + odds * ratio)),
    Array.from(lnPrior, Math.exp),
  );
}

function shareTest(p: number, alternatives: readonly number[], prior: readonly number[]): ShareTest {
  return {
    lnPrior: Float64Array.from(prior, Math.log),
    lnBad: Float64Array.from(alternatives, (a) => Math.log(a / p)),
    lnGood: Float64Array.from(alternatives, (a) => Math.log((1 - a) / (1 - p))),
  };
}

/** Scratch of one sum. */
const terms = new Float64Array(16);

/** ln E of n predictions of which x are bad. */
export function lnShareEvidence(test: ShareTest, n: number, x: number): number {
  const { lnPrior, lnBad, lnGood } = test;
  for (let k = 0; k < lnPrior.length; k++) terms[k] = lnPrior[k]! + term(x, lnBad[k]!) + term(n - x, lnGood[k]!);
  return lnSum(terms, lnPrior.length);
}

/** 0 times -Infinity is 0 here: nothing seen of what cannot be. */
function term(count: number, ln: number): number {
  return count === 0 ? 0 : count * ln;
}
