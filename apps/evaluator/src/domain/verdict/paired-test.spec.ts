import { PackReader, PackWriter } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../../test/fixtures/thorough.js';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import type { PairedCounts } from '../summary.js';
import { PairedTest } from './paired-test.js';

/** Pairs, spread evenly over the user groups. */
function pairs(n: number, worse: number, better: number): PairedCounts {
  const spread = (total: number, from = 0): number[] =>
    Array.from({ length: 64 }, (_, g) => Math.floor(total / 64) + ((g - from + 64) % 64 < total % 64 ? 1 : 0));
  return { groupN: spread(n), groupWorse: spread(worse), groupBetter: spread(better, worse % 64), bothBad: 0 };
}

function testOf(limit: number, counts: PairedCounts, strict = false): PairedTest {
  const test = new PairedTest(limit, { strict });
  test.fold(0, counts);
  test.evaluate();
  return test;
}

/** One pair at a time, in one group each time: n pairs with the given shares of worse and better. */
function lookAtEveryPair(
  limit: number,
  shares: { worse: number; better: number },
  random: () => number,
  n: number,
): { fails: boolean; passes: boolean } {
  const test = new PairedTest(limit, { strict: false });
  const ever = { fails: false, passes: false };
  const groupN = new Array<number>(64).fill(0);
  const groupWorse = new Array<number>(64).fill(0);
  const groupBetter = new Array<number>(64).fill(0);
  for (let i = 0; i < n && !ever.fails; i += 10) {
    for (const counts of [groupN, groupWorse, groupBetter]) counts.fill(0);
    for (let j = 0; j < 10; j++) {
      const group = Math.floor(random() * 64);
      const u = random();
      groupN[group]!++;
      if (u < shares.worse) groupWorse[group]!++;
      else if (u < shares.worse + shares.better) groupBetter[group]!++;
    }
    test.fold(i * 10, { groupN, groupWorse, groupBetter, bothBad: 0 });
    test.evaluate();
    if (test.lnFail() >= Math.log(100)) ever.fails = true;
    if (test.lnPass() >= Math.log(20)) ever.passes = true;
  }
  return ever;
}

describe("McNemar's test as an e-process", () => {
  it('has an interval that holds numbers, also while all pairs differ, and in one direction', () => {
    for (let n = 1; n <= 12; n++)
      for (let worse = 0; worse <= n; worse++)
        for (let better = 0; better <= n - worse; better++) {
          const [low, high] = testOf(0.05, pairs(n, worse, better)).interval()!;
          const value = (worse - better) / n;
          expect([n, worse, better, low < value && value < high, Number.isFinite(high - low)]).toEqual([
            n,
            worse,
            better,
            true,
            true,
          ]);
        }
  });

  it('has mean at most 1 one pair ahead, at every difference within the limit, and exactly 1 at the limit', () => {
    for (const limit of [0.01, 0.1])
      for (const discordant of [0.2, 0.6, 1])
        for (const difference of [-0.15, 0, limit]) {
          const [worse, better] = [(discordant + difference) / 2, (discordant - difference) / 2];
          const e = (counts: PairedCounts): number => Math.exp(cumulative(limit, counts));
          const mean = worse * e(pairs(1, 1, 0)) + better * e(pairs(1, 0, 1)) + (1 - discordant) * e(pairs(1, 0, 0));
          if (difference === limit) expect(mean).toBeCloseTo(1, 12);
          else expect(mean).toBeLessThan(1);
        }
  });

  it('counts only discordant pairs when it is strict', () => {
    const [few, many] = [testOf(0.05, pairs(40, 25, 5), true), testOf(0.05, pairs(4000, 25, 5), true)];
    expect(many.lnFail()).toBeCloseTo(few.lnFail(), 10);
    expect(few.lnFail()).toBeGreaterThan(Math.log(100));
  });

  it('is the binomial likelihood ratio of odds g against even odds, mixed over the grid, when it is strict', () => {
    const [b, c] = [25, 5];
    const grid = [1.05, 1.1, 1.2, 1.4, 1.8, 2.6, 4.2, 7.4, 13.8, 26.6];
    const prior = [0.06, 0.14, 0.2, 0.2, 0.16, 0.1, 0.06, 0.04, 0.02, 0.02];
    const mixture = grid.reduce((sum, g, k) => sum + prior[k]! * ((2 * g) / (1 + g)) ** b * (2 / (1 + g)) ** c, 0);
    expect(cumulative(0, pairs(30, b, c))).toBeCloseTo(Math.log(mixture), 10);
  });

  it('finds a difference beyond the limit, and passes one within it', () => {
    expect(testOf(0.02, pairs(1000, 110, 30)).lnFail()).toBeGreaterThan(Math.log(100));
    expect(testOf(0.02, pairs(4000, 200, 200)).lnPass()).toBeGreaterThan(Math.log(20));
    expect(testOf(0.02, pairs(1000, 60, 40)).lnFail()).toBeLessThan(0);
    expect(testOf(0.02, pairs(600, 0, 0)).lnPass()).toBeGreaterThan(Math.log(20));
  });

  it('says nothing without pairs', () => {
    const test = testOf(0.02, pairs(0, 0, 0));
    expect([test.lnFail(), test.lnPass(), test.difference(), test.interval()]).toEqual([0, 0, null, null]);
  });

  it('takes less from users who come back: the same pairs in few groups weigh less', () => {
    const inOne: PairedCounts = { ...pairs(1000, 0, 0), groupWorse: [16, ...new Array<number>(63).fill(0)] };
    const few = testOf(0.01, { ...inOne, groupWorse: inOne.groupN.map((n, g) => (g < 6 ? n : 0)) });
    const spread = testOf(0.01, pairs(1000, 96, 0));
    expect(few.worse).toBe(spread.worse);
    expect(few.lnFail()).toBeLessThan(spread.lnFail() / 3);
  });

  it('is the same after it was stored', () => {
    const test = testOf(0.02, pairs(1000, 60, 20));
    const writer = new PackWriter();
    test.write(writer);
    const read = new PairedTest(0.02, { strict: false });
    read.read(new PackReader(writer.take()));
    for (const each of [test, read]) {
      each.fold(5_000, pairs(100, 9, 3));
      each.evaluate();
    }
    expect(read).toEqual(test);
  });

  it('shows an interval around the difference', () => {
    const test = testOf(0.02, pairs(4000, 300, 140));
    const [low, high] = test.interval()!;
    expect(test.difference()).toBeCloseTo(0.04, 10);
    expect([low > 0, low < 0.04, high > 0.04, high < 0.08]).toEqual([true, true, true, true]);
  });

  it('looked at after every ten pairs, fails and passes at its limit no more often than alpha and beta say', () => {
    const random = seededRandom(4);
    const RUNS = runs(2_000, 1_000);
    let fails = 0;
    let passes = 0;
    for (let run = 0; run < RUNS; run++) {
      // Exactly at the limit of 2 points, with shares of discordant pairs from 4 to 40 %.
      const discordant = 0.04 * 10 ** random();
      const shares = { worse: (discordant + 0.02) / 2, better: (discordant - 0.02) / 2 };
      const ever = lookAtEveryPair(0.02, shares, random, 600);
      if (ever.fails) fails++;
      if (ever.passes) passes++;
    }
    expect(fails / RUNS).toBeLessThan(0.01);
    expect(passes / RUNS).toBeLessThan(0.05);
    expect(fails + passes).toBeGreaterThan(0);
  });

  it('holds too while the share of discordant pairs changes, as no plug-in of that share would', () => {
    const random = seededRandom(5);
    const RUNS = runs(1_000, 500);
    let fails = 0;
    for (let run = 0; run < RUNS; run++) {
      const test = new PairedTest(0.02, { strict: false });
      let failed = false;
      for (let look = 0; look < 60; look++) {
        const discordant = look < 30 ? 0.02 : 0.5;
        const counts = { n: 20, worse: 0, better: 0 };
        for (let i = 0; i < counts.n; i++) {
          const u = random();
          if (u < (discordant + 0.02) / 2) counts.worse++;
          else if (u < discordant) counts.better++;
        }
        test.fold(look * 1000, pairs(counts.n, counts.worse, counts.better));
        test.evaluate();
        failed ||= test.lnFail() >= Math.log(100);
      }
      if (failed) fails++;
    }
    expect(fails / RUNS).toBeLessThan(0.01);
  });
});

/** ln E of FAIL since the beginning alone: FAIL is half of it and half fresh starts, which begin with the same pairs. */
function cumulative(limit: number, counts: PairedCounts): number {
  const test = testOf(limit, counts);
  // At t = 0 every level's first start holds the same sums, with weight 1/2 in all.
  return test.lnFail() - Math.log(0.75);
}
