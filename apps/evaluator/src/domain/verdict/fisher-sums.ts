/**
 * The sums Z(o) = sum_j C(n1, j) C(n0, X - j) o^j of Fisher's noncentral hypergeometric distribution, for one bucket
 * (n1, n0, X) and many odds ratios o. Only ratios Z(o) / Z(o') are ever needed, so all of them are taken relative to
 * one term, the mode at o = 1.
 *
 * Where the sum is short its coefficients are built once by the exact recurrence
 *   C(n1, j+1) C(n0, X-j-1) / [C(n1, j) C(n0, X-j)] = (n1-j)(X-j) / [(j+1)(n0-X+j+1)]
 * and each o costs a Horner evaluation. Where it is long, or would overflow, each sum starts at its own mode and ends
 * where the rest is provably below 1e-14 of it (the terms are log-concave, so a geometric series bounds the rest).
 */
const SHORT_TERMS_MAX = 512;
/** Below this, o^terms stays inside a double (1.8e308) with room to spare. */
const LN_POWER_MAX = 650;
const REST_MAX = 1e-14;
/** So few terms and such odds are far from it: 64 ln 10^4 = 589. */
const EASY_TERMS_MAX = 64;
const EASY_ODDS_MAX = 1e4;

export class FisherSums {
  /** Least and greatest possible number of bad ones on the canary, given the margins. */
  lo = 0;
  hi = 0;
  /** The term all sums are relative to. */
  ref = 0;
  /** -1: of no bucket yet. */
  private n1 = -1;
  private n0 = 0;
  private total = 0;
  private short = true;
  private lnRefTerm = 0;
  /** Terms above the reference and below it, relative to it; the first is not used. */
  private readonly up = new Float64Array(SHORT_TERMS_MAX + 1);
  private readonly down = new Float64Array(SHORT_TERMS_MAX + 1);

  /** Takes the margins of a bucket; false if they leave nothing open (or are no counts), and the bucket says nothing. */
  prepare(n1: number, n0: number, total: number): boolean {
    // A look asks of the same bucket for FAIL and for PASS.
    if (n1 === this.n1 && n0 === this.n0 && total === this.total) return true;
    const lo = Math.max(0, total - n0);
    const hi = Math.min(total, n1);
    if (!(hi > lo) || !Number.isFinite(n1 + n0)) return false;
    this.lo = lo;
    this.hi = hi;
    this.n1 = n1;
    this.n0 = n0;
    this.total = total;
    this.ref = Math.min(this.hi, Math.max(this.lo, Math.floor(((n1 + 1) * (total + 1)) / (n1 + n0 + 2))));
    this.short = this.hi - this.lo <= SHORT_TERMS_MAX;
    if (this.short) this.fillCoefficients();
    this.lnRefTerm = Number.NaN;
    return true;
  }

  /** ln [ Z(o) / (term `ref` at o = 1) ] - ref ln o, with o > 0. */
  lnSum(o: number): number {
    const lnO = Math.log(o);
    const reach = lnO > 0 ? (this.hi - this.ref) * lnO : (this.lo - this.ref) * lnO;
    return this.short && reach < LN_POWER_MAX ? this.shortSum(o) : this.longSum(o, lnO);
  }

  /** lnSum of `line` times each ratio, into `out`. Two at a time: in a sum each step waits for the one before it. */
  lnSums(line: number, ratios: Float64Array, out: Float64Array): void {
    let k = 0;
    for (; k + 1 < ratios.length; k += 2) {
      const o = line * ratios[k]!;
      const p = line * ratios[k + 1]!;
      if (this.isEasy(o) && this.isEasy(p)) this.shortSums(o, p, k, out);
      else {
        out[k] = this.lnSum(o);
        out[k + 1] = this.lnSum(p);
      }
    }
    for (; k < ratios.length; k++) out[k] = this.lnSum(line * ratios[k]!);
  }

  /** Whether a sum is short without a look at ln o: then (hi - lo) |ln o| is far from LN_POWER_MAX. */
  private isEasy(o: number): boolean {
    return this.hi - this.lo <= EASY_TERMS_MAX && o > 1 / EASY_ODDS_MAX && o < EASY_ODDS_MAX;
  }

  private fillCoefficients(): void {
    const { n1, n0, total, ref, lo, hi, up, down } = this;
    let c = 1;
    for (let j = ref, i = 1; j < hi; j++, i++) {
      c *= ((n1 - j) * (total - j)) / ((j + 1) * (n0 - total + j + 1));
      up[i] = c;
    }
    c = 1;
    for (let j = ref - 1, i = 1; j >= lo; j--, i++) {
      c *= ((j + 1) * (n0 - total + j + 1)) / ((n1 - j) * (total - j));
      down[i] = c;
    }
  }

  private shortSum(o: number): number {
    const { up, down } = this;
    let above = 0;
    for (let i = this.hi - this.ref; i >= 1; i--) above = (above + up[i]!) * o;
    let below = 0;
    const inverse = 1 / o;
    for (let i = this.ref - this.lo; i >= 1; i--) below = (below + down[i]!) * inverse;
    return Math.log(1 + above + below);
  }

  /** shortSum of o and of p, into out[k] and out[k + 1]. */
  private shortSums(o: number, p: number, k: number, out: Float64Array): void {
    const { up, down } = this;
    let aboveO = 0;
    let aboveP = 0;
    for (let i = this.hi - this.ref; i >= 1; i--) {
      const term = up[i]!;
      aboveO = (aboveO + term) * o;
      aboveP = (aboveP + term) * p;
    }
    let belowO = 0;
    let belowP = 0;
    const inverseO = 1 / o;
    const inverseP = 1 / p;
    for (let i = this.ref - this.lo; i >= 1; i--) {
      const term = down[i]!;
      belowO = (belowO + term) * inverseO;
      belowP = (belowP + term) * inverseP;
    }
    out[k] = Math.log(1 + aboveO + belowO);
    out[k + 1] = Math.log(1 + aboveP + belowP);
  }

  private longSum(o: number, lnO: number): number {
    const { n1, n0, total, lo, hi } = this;
    const mode = this.modeAt(o);
    let sum = 1;
    let term = 1;
    for (let j = mode; j < hi; j++) {
      const ratio = (((n1 - j) * (total - j)) / ((j + 1) * (n0 - total + j + 1))) * o;
      term *= ratio;
      sum += term;
      if (ratio < 1 && term * ratio < REST_MAX * sum * (1 - ratio)) break;
    }
    term = 1;
    for (let j = mode - 1; j >= lo; j--) {
      const ratio = ((j + 1) * (n0 - total + j + 1)) / ((n1 - j) * (total - j)) / o;
      term *= ratio;
      sum += term;
      if (ratio < 1 && term * ratio < REST_MAX * sum * (1 - ratio)) break;
    }
    if (Number.isNaN(this.lnRefTerm)) this.lnRefTerm = this.lnTerm(this.ref);
    return this.lnTerm(mode) - this.lnRefTerm + (mode - this.ref) * lnO + Math.log(sum);
  }

  /** The j with the largest term: the last one that the step up to it did not make smaller. */
  private modeAt(o: number): number {
    const { n1, n0, total } = this;
    let low = this.lo;
    let high = this.hi;
    while (low < high) {
      const j = Math.floor((low + high) / 2);
      if ((n1 - j) * (total - j) * o >= (j + 1) * (n0 - total + j + 1)) low = j + 1;
      else high = j;
    }
    return low;
  }

  /** ln [C(n1, j) C(n0, X - j)] up to a constant of the bucket, exact also where ln n! would lose digits. */
  private lnTerm(j: number): number {
    const p = this.total / (this.n1 + this.n0);
    return lnBinomial(j, this.n1, p) + lnBinomial(this.total - j, this.n0, p);
  }
}

/**
 * ln of the binomial probability of k in n at p, less the part that depends on n alone; by the saddle-point form of
 * C. Loader, "Fast and accurate computation of binomial probabilities" (2000).
 */
function lnBinomial(k: number, n: number, p: number): number {
  if (n === 0) return 0;
  const offset = 0.5 * Math.log(n / (2 * Math.PI)) + stirlingError(n);
  if (k === 0) return n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  const deviance = halfDeviance(k, n * p) + halfDeviance(n - k, n * (1 - p));
  return offset - stirlingError(k) - stirlingError(n - k) - deviance - 0.5 * (Math.log(k) + Math.log(n - k));
}

const STIRLING_SMALL = exactStirlingErrors(16);

/** ln n! - [ (n + 1/2) ln n - n + ln(2 pi)/2 ]. */
function stirlingError(n: number): number {
  if (n < STIRLING_SMALL.length) return STIRLING_SMALL[n]!;
  const s = 1 / (n * n);
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - s / 1188) * s) * s) * s) / n;
}

function exactStirlingErrors(size: number): Float64Array {
  const errors = new Float64Array(size);
  let lnFactorial = 0;
  for (let n = 1; n < size; n++) {
    lnFactorial += Math.log(n);
    errors[n] = lnFactorial - ((n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI));
  }
  return errors;
}

/** x ln(x/m) + m - x, without cancellation where x is near m. */
function halfDeviance(x: number, m: number): number {
  const v = (x - m) / (x + m);
  if (Math.abs(v) > 0.1) return x * Math.log(x / m) + m - x;
  let sum = (x - m) * v;
  let power = 2 * x * v;
  for (let i = 1; ; i++) {
    power *= v * v;
    const next = sum + power / (2 * i + 1);
    if (next === sum) return sum;
    sum = next;
  }
}
