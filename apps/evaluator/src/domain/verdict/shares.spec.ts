import { describe, expect, it } from 'vitest';
import { errorCeiling, lnShareEvidence, shareCeiling } from './ceiling.js';
import { confidenceRadius, informationWanted, mixtureScale } from './confidence.js';
import { lnFloor } from './floor.js';

const six = (value: number): number => Number(value.toFixed(6));

describe('ceilings', () => {
  it('have the values of the document', () => {
    const half = errorCeiling(0.5);
    expect(six(lnShareEvidence(half, 10, 10))).toBe(5.439483);
    expect(six(lnShareEvidence(half, 9, 9))).toBe(4.806793);
    expect(six(lnShareEvidence(half, 20, 15))).toBe(1.744072);
    expect(six(lnShareEvidence(half, 100, 40))).toBe(-3.895293);
    expect(six(lnShareEvidence(errorCeiling(0.1), 50, 10))).toBe(0.851049);
  });

  it('have mean 1 at the share they guard, and start at 1', () => {
    for (const test of [errorCeiling(0.5), errorCeiling(0.02), shareCeiling(0.01), shareCeiling(0.5)]) {
      expect(lnShareEvidence(test, 0, 0)).toBeCloseTo(0, 12);
      const p = test === undefined ? 0 : nullShare(test);
      const mean = p * Math.exp(lnShareEvidence(test, 1, 1)) + (1 - p) * Math.exp(lnShareEvidence(test, 1, 0));
      expect(mean).toBeCloseTo(1, 12);
    }
  });
});

/** The share at which one prediction says nothing on average, from the first alternative's two likelihood ratios. */
function nullShare({ lnBad, lnGood }: ReturnType<typeof errorCeiling>): number {
  const good = Math.exp(lnGood[0]!);
  return (1 - good) / (Math.exp(lnBad[0]!) - good);
}

describe('the floor', () => {
  it('has the values of the document', () => {
    expect(six(lnFloor(440, 0, 0.01))).toBe(3.771342);
    expect(six(lnFloor(1000, 0, 0.01))).toBe(9.039857);
    expect(six(lnFloor(1000, 2, 0.01))).toBe(4.087991);
    expect(six(lnFloor(100, 1, 0.01))).toBe(-0.918767);
  });

  it('starts at 1 and has mean 1 at the limit', () => {
    expect(lnFloor(0, 0, 0.01)).toBe(0);
    const mean = 0.01 * Math.exp(lnFloor(1, 1, 0.01)) + 0.99 * Math.exp(lnFloor(1, 0, 0.01));
    expect(mean).toBeCloseTo(1, 12);
  });
});

describe('the confidence sequence', () => {
  it('has the values of the document', () => {
    const information = 1 / 6.167777778e-5;
    const at = (alpha: number) => {
      const rho = mixtureScale(1e5, alpha);
      return [Number(rho.toFixed(4)), Number(confidenceRadius(information, rho, alpha).toFixed(8))];
    };
    expect(at(0.05)).toEqual([15800.6349, 0.0257561]);
    expect(at(0.01)).toEqual([9998.4737, 0.02964308]);
  });

  it('asks for more information the smaller the difference', () => {
    expect(informationWanted(0.05, 0.01)).toBeCloseTo((2 * Math.log(20)) / 0.0001, 6);
  });
});
