import { describe, expect, it } from 'vitest';
import { type BucketCounts, FAIL_GRID, type Grid, kernelStep, lnEvidence, PASS_GRID } from './kernel.js';

const six = (value: number): number => Number(value.toFixed(6));
const bucket = (n1: number, x1: number, n0: number, x0: number): BucketCounts => ({ n1, x1, n0, x0 });

function accumulate(grid: Grid, line: number, ...buckets: readonly BucketCounts[]): Float64Array {
  const acc = new Float64Array(grid.g.length);
  const step = new Float64Array(grid.g.length);
  for (const b of buckets) if (kernelStep(b, line, grid, step)) step.forEach((v, k) => (acc[k]! += v));
  return acc;
}
const lnE = (grid: Grid, line: number, ...buckets: readonly BucketCounts[]): number =>
  lnEvidence(accumulate(grid, line, ...buckets), 0, grid, 1);

/** C(n1, j) C(n0, X - j) for all possible j, as big integers. */
function coefficients({ n1, x1, n0, x0 }: BucketCounts): bigint[] {
  const total = x1 + x0;
  const lo = Math.max(0, total - n0);
  const all = [big(n1, lo) * big(n0, total - lo)];
  for (let j = lo; j < Math.min(total, n1); j++)
    all.push((all.at(-1)! * BigInt((n1 - j) * (total - j))) / BigInt((j + 1) * (n0 - total + j + 1)));
  return all;
}

function big(n: number, k: number): bigint {
  let c = 1n;
  for (let i = 1n; i <= BigInt(k); i++) c = (c * (BigInt(n) - i + 1n)) / i;
  return c;
}

/** ln sum_i c_i o^i by big integers, with o a whole number of 2^-12: exact but for the last logarithm. */
function lnPolynomial(c: readonly bigint[], o: number): number {
  const numerator = BigInt(o * 2 ** 12);
  let sum = 0n;
  for (let i = c.length - 1; i >= 0; i--) sum = sum * numerator + (c[i]! << BigInt(12 * (c.length - 1 - i)));
  const digits = sum.toString();
  const leading = Number(digits.slice(0, 17));
  return Math.log(leading) + Math.max(0, digits.length - 17) * Math.LN10 - 12 * (c.length - 1) * Math.LN2;
}

describe('the H-kernel', () => {
  it('has the values of the document', () => {
    const acc = accumulate(FAIL_GRID, 1, bucket(100, 10, 900, 45));
    expect([...acc].map(six)).toEqual([
      0.213918, 0.407141, 0.739187, 1.227174, 1.71709, 1.639064, -0.164248, -5.238128, -14.937698, -29.877358,
    ]);
    expect(six(lnE(FAIL_GRID, 1, bucket(100, 10, 900, 45)))).toBe(1.044829);
    expect(six(lnE(FAIL_GRID, 1, bucket(100, 12, 900, 45), bucket(95, 9, 905, 40)))).toBe(3.63749);
    expect(six(lnE(FAIL_GRID, 1.2, bucket(100, 10, 900, 45)))).toBe(0.547246);
    expect(six(lnE(FAIL_GRID, 1, bucket(50, 20, 50, 10)))).toBe(1.457001);
    expect(lnE(FAIL_GRID, 1, bucket(10, 0, 90, 0))).toBeCloseTo(0, 12);
  });

  it('has the values of the document for PASS, and for FAIL on the same line', () => {
    const line = 1.2127659574468084;
    const one = bucket(1000, 50, 9000, 450);
    const five = Array.from({ length: 5 }, () => one);
    expect(six(lnE(PASS_GRID, line, one))).toBe(0.349961);
    expect(six(lnE(PASS_GRID, line, ...five))).toBe(3.121613);
    expect(six(lnE(FAIL_GRID, line, one))).toBe(-2.278244);
    expect(six(lnE(FAIL_GRID, line, ...five))).toBe(-5.141723);
  });

  it('shows the completion-time trap: by completion a slow canary that is no worse looks worse', () => {
    const early = bucket(5, 5, 45, 45);
    const late = bucket(5, 5, 900, 45);
    expect(six(lnE(FAIL_GRID, 1, early, early, late, late))).toBe(20.255847);
  });

  it('has mean 1 on the line and less within it', () => {
    const mean = (trueOdds: number): number => {
      const weights: number[] = [];
      for (let x1 = 0; x1 <= 12; x1++) weights.push(choose(20, x1) * choose(60, 12 - x1) * trueOdds ** x1);
      const total = weights.reduce((a, b) => a + b);
      return weights.reduce(
        (sum, w, x1) => sum + (w / total) * Math.exp(lnE(FAIL_GRID, 1, bucket(20, x1, 60, 12 - x1))),
        0,
      );
    };
    expect(mean(1)).toBeCloseTo(1, 12);
    expect(six(mean(0.8))).toBe(0.789802);
  });

  it('is exact within 1e-9 wherever the sums are short, and where they are long', () => {
    const cases: readonly [BucketCounts, number][] = [
      [bucket(50, 3, 450, 25), 1.3],
      [bucket(450, 200, 450, 190), 1],
      [bucket(2000, 900, 2000, 950), 1],
      [bucket(1500, 1490, 3000, 2500), 21],
      [bucket(700, 2, 6000, 1200), 1.05],
      [bucket(5, 5, 20_000, 9000), 4],
    ];
    for (const [b, line] of cases) {
      const rounded = Math.round(line * 2 ** 10) / 2 ** 10;
      const step = new Float64Array(1);
      const c = coefficients(b);
      const least = Math.max(0, b.x1 + b.x0 - b.n0);
      for (const g of [1.25, 2.5, 26.5, 0.25]) {
        const one: Grid = { g: Float64Array.of(g), lnG: Float64Array.of(Math.log(g)), lnPrior: Float64Array.of(0) };
        kernelStep(b, rounded, one, step);
        const exact = (b.x1 - least) * Math.log(g) - lnPolynomial(c, rounded * g) + lnPolynomial(c, rounded);
        expect(Math.abs(step[0]! - exact) / Math.max(1, Math.abs(exact))).toBeLessThan(1e-9);
      }
    }
  });

  it('says the same of a bucket whether its sum is taken as short or as long', () => {
    // 513 terms are long, 512 short: a smooth function must not jump between them.
    const at = (x: number): number => lnE(FAIL_GRID, 1, bucket(x, x / 2, 40_000, 20_000));
    const jump = at(514) - 2 * at(512) + at(510);
    expect(Math.abs(jump)).toBeLessThan(1e-3);
  });

  it('is left as it was by buckets that are all good, all bad or lack an arm', () => {
    const step = new Float64Array(FAIL_GRID.g.length).fill(7);
    for (const b of [bucket(10, 0, 90, 0), bucket(10, 10, 90, 90), bucket(0, 0, 90, 9), bucket(10, 4, 0, 0)])
      expect(kernelStep(b, 1, FAIL_GRID, step)).toBe(false);
    expect(step.every((v) => v === 7)).toBe(true);
  });

  it('mirrors when arms are swapped and the alternatives are turned round', () => {
    const turned: Grid = { ...FAIL_GRID, g: FAIL_GRID.g.map((g) => 1 / g), lnG: FAIL_GRID.lnG.map((l) => -l) };
    const there = accumulate(FAIL_GRID, 1.3, bucket(120, 9, 800, 31));
    const back = accumulate(turned, 1 / 1.3, bucket(800, 31, 120, 9));
    there.forEach((v, k) => expect(back[k]).toBeCloseTo(v, 9));
  });

  it('says nothing of what are no counts, and never throws', () => {
    const step = new Float64Array(FAIL_GRID.g.length);
    const bad = [NaN, Infinity, -1, 1e300];
    for (const b of [
      ...bad.map((v) => bucket(v, 1, 10, 1)),
      ...bad.map((v) => bucket(10, v, 10, 1)),
      ...bad.map((v) => bucket(10, 1, 10, v)),
      bucket(NaN, NaN, NaN, NaN),
    ])
      if (kernelStep(b, 1, FAIL_GRID, step)) expect([...step].some(Number.isNaN)).toBe(false);
    for (const line of [0, -1, NaN, Infinity])
      expect(kernelStep(bucket(10, 3, 10, 2), line, FAIL_GRID, step)).toBe(false);
  });

  it('is finite up to ten million predictions in one bucket', () => {
    for (const [x1, x0] of [
      [500_000, 4_500_000],
      [0, 1],
      [9_999_999, 10_000_000],
      [5_000_000, 1],
    ] as const) {
      const value = lnE(FAIL_GRID, 1.2, bucket(1e7, x1, 1e7, x0));
      expect(Number.isFinite(value)).toBe(true);
    }
    expect(lnE(FAIL_GRID, 1, bucket(1e7, 1e6, 1e7, 1e6))).toBeLessThan(0);
  });
});

function choose(n: number, k: number): number {
  let c = 1;
  for (let i = 1; i <= k; i++) c = (c * (n - i + 1)) / i;
  return c;
}
