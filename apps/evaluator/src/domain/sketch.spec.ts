import { describe, expect, it } from 'vitest';
import { sketchBin, sketchUpperEdgeMs, sketchValueMs } from './sketch.js';

describe('sketch', () => {
  it('has the bins and values of the verdict engine document', () => {
    expect(sketchBin(200)).toBe(265);
    expect(sketchValueMs(265)).toBeCloseTo(198.368486, 6);
    expect(sketchBin(1)).toBe(0);
    expect(sketchBin(60_000)).toBe(551);
  });

  it('puts every value within 1 % of the value of its bin', () => {
    for (let ms = 1.01; ms < 60_000; ms *= 1.0137) {
      const value = sketchValueMs(sketchBin(ms));
      expect(Math.abs(value - ms) / ms).toBeLessThanOrEqual(0.01 + 1e-9);
    }
  });

  it('is above an edge exactly if its bin is above the edge’s bin', () => {
    for (let bin = 1; bin < 551; bin++) {
      const edge = sketchUpperEdgeMs(bin);
      expect(sketchBin(edge)).toBe(bin);
      expect(sketchBin(edge * 1.0001)).toBe(bin + 1);
    }
  });

  it('takes nonsense for the slowest or the fastest, never for an index outside', () => {
    expect(sketchBin(Number.POSITIVE_INFINITY)).toBe(2046);
    expect(sketchBin(Number.NaN)).toBe(0);
    expect(sketchBin(-5)).toBe(0);
  });
});
