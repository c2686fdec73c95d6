import { PackReader, PackWriter } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { FreshStarts } from './fresh-starts.js';

const one = Float64Array.of(1);
/** Evidence that is the sum itself. */
const plain = (sums: Float64Array, from: number): number => Math.log(sums[from]!);

describe('fresh starts', () => {
  it('weigh the starts of seven levels by 1/7 and 1/((m+1)(m+2))', () => {
    const starts = new FreshStarts(1);
    starts.add(0, one);
    expect(Math.exp(starts.lnFresh(plain))).toBeCloseTo(0.5, 12);
    starts.add(1_500, one);
    // Level 0: the start at 0 has both, that at 1 s the second; the others have both.
    expect(Math.exp(starts.lnFresh(plain))).toBeCloseTo((7 * 2 * (1 / 2) + 1 / 6) / 7, 12);
  });

  it('keep the starts of the newest two periods of a level', () => {
    const starts = new FreshStarts(1);
    for (const t of [0, 1_000, 5_000]) starts.add(t, one);
    // Level 0 keeps period 5 only (4 had no bucket); level 1 keeps 0 and 1; the other five only 0.
    expect(Math.exp(starts.lnFresh(plain))).toBeCloseTo((1 / 42 + 3 / 2 + 1 / 6 + (5 * 3) / 2) / 7, 12);
  });

  it('count a late bucket in every start that is not later than it', () => {
    const starts = new FreshStarts(1);
    starts.add(0, one);
    starts.add(1_000, one);
    starts.add(900, one);
    expect(Math.exp(starts.lnFresh(plain))).toBeCloseTo((7 * 3 * (1 / 2) + 1 / 6) / 7, 12);
  });

  it('never have a total weight above 1', () => {
    const starts = new FreshStarts(1);
    for (let t = 0; t < 20_000_000; t += 377_000) {
      starts.add(t, Float64Array.of(0));
      expect(Math.exp(starts.lnFresh(() => 0))).toBeLessThanOrEqual(1);
    }
  });

  it('read back as they were', () => {
    const starts = new FreshStarts(2);
    for (const t of [0, 700, 3_333, 70_000]) starts.add(t, Float64Array.of(t / 7, -1));
    const out = new PackWriter();
    starts.write(out);
    const bytes = out.take();
    const again = new FreshStarts(2).read(new PackReader(bytes));
    again.write(out);
    expect(out.take().equals(bytes)).toBe(true);
    expect(again.lnFresh((s, i) => s[i]!)).toBe(starts.lnFresh((s, i) => s[i]!));
  });
});
