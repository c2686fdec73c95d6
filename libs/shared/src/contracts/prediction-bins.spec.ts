import { describe, expect, it } from 'vitest';
import { binOfClass, binOfNumber, numberOfBin, PREDICTION_BINS } from './prediction-bins.js';

describe('bins of predictions', () => {
  it('keep the order of numbers and have their value within 1 %', () => {
    const sizes = Array.from({ length: 400 }, (_, i) => 1e-8 * 1.1 ** i).filter((size) => size < 2 ** 33);
    const numbers = [...sizes.map((size) => -size).reverse(), 0, ...sizes];
    const bins = numbers.map(binOfNumber);
    expect(bins).toEqual([...bins].sort((a, b) => a - b));
    for (const number of numbers)
      expect(Math.abs(numberOfBin(binOfNumber(number)) - number)).toBeLessThanOrEqual(Math.abs(number) * 0.0079);
  });

  it('hold the small whole numbers exactly', () => {
    for (let n = -256; n <= 256; n++) expect(numberOfBin(binOfNumber(n))).toBe(n);
  });

  it('are numbers of 14 bits for anything', () => {
    for (const value of [0, -0, 1e300, -1e300, 5e-324, Number.MAX_SAFE_INTEGER, 0.1 + 0.2]) {
      expect(binOfNumber(value)).toBeGreaterThanOrEqual(0);
      expect(binOfNumber(value)).toBeLessThan(PREDICTION_BINS);
    }
    expect(binOfClass(2 ** 48 - 1)).toBeLessThan(PREDICTION_BINS);
  });
});
