import { PackReader, PackWriter } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { absoluteLine, BaseRateWindow, relativeLine } from './base-rate.js';

const MINUTE = 60_000;

describe("control's base rate", () => {
  it('is not known below 500 events', () => {
    const window = new BaseRateWindow();
    window.add(0, 499, 5);
    expect(window.current()).toBeNull();
    window.add(100, 100, 1);
    expect(window.current()).toMatchObject({ n: 599 });
  });

  it('takes whole buckets, newest first, until 1,000 and until 10,000 are in', () => {
    const window = new BaseRateWindow();
    for (let i = 0; i < 40; i++) window.add(i * 100, 400, i < 37 ? 20 : 2);
    // Short: three buckets of 2; long: 25 buckets, three of 2 and 22 of 20.
    expect(window.current()).toEqual({ small: 6.5 / 1201, large: 446.5 / 10_001, n: 10_000 });
  });

  it('reaches back ten minutes, but always over the newest 500', () => {
    const window = new BaseRateWindow();
    window.add(0, 300, 30);
    window.add(1 * MINUTE, 300, 30);
    window.add(11.5 * MINUTE, 300, 3);
    // The middle one is still needed for 500, the first one is neither needed nor young enough.
    expect(window.current()).toEqual({ small: 33.5 / 601, large: 33.5 / 601, n: 600 });
  });

  it('puts a bucket that comes late at its place by routing time', () => {
    const [inOrder, late] = [new BaseRateWindow(), new BaseRateWindow()];
    for (const t of [1, 2, 3, 4]) inOrder.add(t * 1000, 600, t);
    for (const t of [1, 3, 4, 2]) late.add(t * 1000, 600, t);
    expect(late.current()).toEqual(inOrder.current());
  });

  it('stays small at low traffic, and reads back as it was', () => {
    const window = new BaseRateWindow();
    for (let i = 0; i < 3_000; i++) window.add(i * 100, 9, i % 7 === 0 ? 1 : 0);
    const out = new PackWriter();
    window.write(out);
    const bytes = out.take();
    expect(bytes.length).toBeLessThan(1_000);
    const again = new BaseRateWindow().read(new PackReader(bytes));
    expect(again.current()).toEqual(window.current());
  });

  it('ignores what are no counts', () => {
    const window = new BaseRateWindow();
    for (const [n, x] of [
      [0, 0],
      [NaN, 1],
      [10, NaN],
      [10, 11],
      [-5, 0],
    ] as const)
      window.add(0, n, x);
    expect(window.current()).toBeNull();
  });
});

describe('the line of an absolute limit', () => {
  it('is the odds ratio at the limit, and never below equal odds', () => {
    expect(absoluteLine(0.05, 0.01)).toBeCloseTo(1.2127659574468084, 12);
    expect(relativeLine(0.05, 0.2)).toBeCloseTo(1.2127659574468084, 12);
    expect(absoluteLine(0.9999999, 0.01)).toBeGreaterThanOrEqual(1);
    expect(Number.isFinite(absoluteLine(0.995, 0.01))).toBe(true);
  });
});
