import { PackReader, PackWriter } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import type { ValueSums } from '../arm-details.js';
import { confidenceRadius, mixtureScale } from './confidence.js';
import { CustomLook } from './custom-look.js';
import { ArmValues, lnBeyond, MEAN_WIDTH, meanDifference, meanStep } from './means.js';

const V = 6.167777778e-5;
const I_WANTED = 1e5;

/** Values of users in 64 groups, each value by itself. */
function valuesOf(values: readonly number[], group: (i: number) => number = (i) => (i * 29) % 64): ValueSums {
  const groups = new Map<number, { group: number; n: number; sum: number }>();
  values.forEach((value, i) => {
    const of = groups.get(group(i)) ?? { group: group(i), n: 0, sum: 0 };
    groups.set(of.group, { group: of.group, n: of.n + 1, sum: of.sum + value });
  });
  const sum = values.reduce((a, b) => a + b, 0);
  const squares = values.reduce((a, b) => a + b * b, 0);
  return { name: 'score', n: values.length, sum, squares, groups: [...groups.values()] };
}

describe('the difference of two means', () => {
  it.each([
    [0.05, 15_800.6349, 0.0257561],
    [0.01, 9_998.4737, 0.02964308],
  ])('has the radius of the document at alpha %d', (alpha, rho, radius) => {
    expect(mixtureScale(I_WANTED, alpha)).toBeCloseTo(rho, 4);
    expect(confidenceRadius(1 / V, mixtureScale(I_WANTED, alpha), alpha)).toBeCloseTo(radius, 8);
  });

  it.each([0.05, 0.01, 0.0001])('has evidence of 1/alpha exactly where the interval ends at the line (%d)', (alpha) => {
    const rho = mixtureScale(I_WANTED, 0.01);
    const radius = confidenceRadius(1 / V, rho, alpha);
    expect(Math.exp(lnBeyond(radius, 1 / V, rho))).toBeCloseTo(1 / alpha, 6);
    expect(lnBeyond(radius * 1.01, 1 / V, rho)).toBeGreaterThan(-Math.log(alpha));
  });

  it('has none on the near side, none where values do not vary, and survives any size', () => {
    expect(lnBeyond(-0.1, 1 / V, 1e4)).toBe(-Infinity);
    expect(lnBeyond(0.1, Infinity, 1e4)).toBe(0);
    expect(lnBeyond(1e200, 1e300, 1)).toBe(Infinity);
    expect(Number.isNaN(lnBeyond(1e-200, 1e-300, 1e300))).toBe(false);
  });

  it('is U / sum h with the variance Q / (sum h)^2 of section 3', () => {
    const sums = new Float64Array(MEAN_WIDTH);
    const step = new Float64Array(MEAN_WIDTH);
    const strata = [
      [valuesOf([1, 2, 3]), valuesOf([1, 1, 2, 2])],
      [valuesOf([5]), valuesOf([2, 4])],
    ] as const;
    for (const [canary, control] of strata) {
      expect(meanStep(canary, control, step)).toBe(true);
      step.forEach((value, i) => (sums[i]! += value));
    }
    const [h1, h2] = [12 / 7, 2 / 3];
    const [s1, s0] = [2.5, 1.25];
    const q = h1 ** 2 * (s1 / 3 + s0 / 4) + h2 ** 2 * (s1 / 1 + s0 / 2);
    const found = meanDifference(sums, 0, { canary: s1, control: s0 })!;
    expect(found.n1).toBe(4);
    expect(found.delta).toBeCloseTo((h1 * 0.5 + h2 * 2) / (h1 + h2), 12);
    expect(found.information).toBeCloseTo((h1 + h2) ** 2 / q, 9);
  });

  it('leaves out strata in which an arm has no value, or one without bound', () => {
    const step = new Float64Array(MEAN_WIDTH);
    expect(meanStep(valuesOf([]), valuesOf([1]), step)).toBe(false);
    expect(meanStep(valuesOf([1]), valuesOf([]), step)).toBe(false);
    expect(meanStep(valuesOf([1e308, 1e308]), valuesOf([1]), step)).toBe(false);
  });

  it('knows users that come back from many users', () => {
    const random = seededRandom(3);
    const [one, many] = [new ArmValues(), new ArmValues()];
    const ofUser = Array.from({ length: 64 }, () => random() * 10);
    const list = Array.from({ length: 6_400 }, () => Math.floor(random() * 64));
    one.add(
      valuesOf(
        list.map((user) => ofUser[user]!),
        (i) => list[i]!,
      ),
    );
    many.add(
      valuesOf(
        list.map(() => random() * 10),
        (i) => list[i]!,
      ),
    );
    expect(one.dispersion()).toBeGreaterThan(50);
    expect(many.dispersion()).toBeLessThan(1.3);
  });
});

describe('a custom check', () => {
  const levels = { alpha: 0.01, beta: 0.05 };
  const spec = { from: 'answer', source: '/score', worse: 'lower', limit: 0.05, minEffect: 0.05 } as const;
  const lookAfter = (shift: number, buckets: number, seed = 5): CustomLook => {
    const random = seededRandom(seed);
    const look = new CustomLook('custom.score', spec, levels);
    for (let bucket = 0; bucket < buckets; bucket++) {
      // Both arms drift together.
      const level = 0.5 + 0.2 * Math.sin(bucket / 50);
      const draw = (n: number, by: number) => Array.from({ length: n }, () => level + by + 0.2 * (random() - 0.5));
      look.fold(valuesOf(draw(5, shift)), valuesOf(draw(45, 0)), { tMs: bucket * 100, step: 0 });
    }
    look.evaluate();
    return look;
  };

  it('fails a mean that dropped beyond the limit, and passes one that did not', () => {
    expect(lookAfter(-0.12, 100).lnFail()).toBeGreaterThan(Math.log(1e4));
    expect(lookAfter(0, 100).lnPass(0)).toBeGreaterThan(Math.log(20));
    expect(lookAfter(0, 100).lnFail()).toBeLessThan(0);
    // More is no harm where less is.
    expect(lookAfter(0.3, 100).lnFail()).toBeLessThan(0);
    expect(lookAfter(0.3, 100).lnPass(0)).toBeGreaterThan(Math.log(20));
  });

  it('says nothing before the canary has 100 values', () => {
    expect(lookAfter(-10, 19).lnFail()).toBeLessThanOrEqual(0);
    expect(lookAfter(0, 19).lnPass(0)).toBe(0);
    expect(lookAfter(-10, 20).lnFail()).toBeGreaterThan(10);
    expect(lookAfter(0, 19).interval()).toBeNull();
  });

  it('decides on values that never vary', () => {
    const looked = (canary: number): CustomLook => {
      const look = new CustomLook('custom.score', spec, levels);
      for (let i = 0; i < 30; i++) look.fold(valuesOf(Array(5).fill(canary)), valuesOf(Array(45).fill(0.9)), at(i));
      look.evaluate();
      return look;
    };
    const at = (i: number) => ({ tMs: i * 100, step: 0 });
    expect(looked(0.9).lnPass(0)).toBeGreaterThan(Math.log(20));
    expect(looked(0.8).lnFail()).toBeGreaterThan(Math.log(100));
  });

  it('is wrong no more often than it may at a true difference of exactly the limit', () => {
    let failed = 0;
    let passed = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const look = lookAfter(-0.05, 60, seed);
      if (look.lnFail() >= Math.log(100)) failed++;
      if (look.lnPass(0) >= Math.log(20)) passed++;
    }
    expect(failed).toBeLessThanOrEqual(6);
    expect(passed).toBeLessThanOrEqual(20);
  });

  it('has an interval around the difference, and forecasts what a pass needs', () => {
    const look = lookAfter(0, 40);
    const [low, high] = look.interval()!;
    expect(low).toBeLessThan(0);
    expect(high).toBeGreaterThan(0);
    const early = lookAfter(0, 22);
    const togo = early.valuesToGo(0, Math.log(1e6))!;
    const needed = Array.from({ length: 100 }, (_, i) => 22 + 4 * i).find(
      (n) => lookAfter(0, n).lnPass(0) > Math.log(1e6),
    );
    expect((early.arms[1].n + togo) / (5 * needed!)).toBeGreaterThan(0.6);
    expect((early.arms[1].n + togo) / (5 * needed!)).toBeLessThan(1.7);
    expect(look.valuesToGo(0, -1)).toBe(0);
  });

  it('passes on the values of the step alone, and goes on from its bytes', () => {
    const look = lookAfter(0, 100);
    look.fold(valuesOf([0.5]), valuesOf([0.5]), { tMs: 20_000, step: 2 });
    look.evaluate();
    expect(look.lnPass(0)).toBe(0);
    expect(look.lnPass(2)).toBe(0);
    const out = new PackWriter();
    look.write(out);
    const bytes = out.take();
    const copy = new CustomLook('custom.score', spec, levels).read(new PackReader(bytes));
    copy.write(out);
    expect(out.take()).toEqual(bytes);
  });
});
