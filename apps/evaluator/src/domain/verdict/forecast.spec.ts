import { describe, expect, it } from 'vitest';
import { absoluteLine } from './base-rate.js';
import { type PassOutlook, predictionsToGo } from './forecast.js';

const LN_20 = Math.log(20);

/** Nothing known yet, 5 % bad on both sides, a limit of one point, a canary at 10 %. */
const outlook = (changes: Partial<PassOutlook> = {}): PassOutlook => ({
  lnE: 0,
  lnWanted: LN_20,
  p0: 0.05,
  p1: 0.05,
  line: absoluteLine(0.05, 0.01),
  ratio: 9,
  d: 1,
  floorLimit: null,
  ...changes,
});

describe('the forecast of a pass', () => {
  it('is near what simulation needs: some 4,500 canary predictions at 10/90', () => {
    // 45k events at 10/90 and 17.6k at 50/50 are the means of section 9.
    expect(predictionsToGo(outlook())).toBeGreaterThan(3_500);
    expect(predictionsToGo(outlook())).toBeLessThan(5_500);
    const half = predictionsToGo(outlook({ ratio: 1 }))!;
    expect(half * 2).toBeGreaterThan(13_000);
    expect(half * 2).toBeLessThan(21_000);
  });

  it('is nothing once there is enough, and grows with the sticky-user correction', () => {
    expect(predictionsToGo(outlook({ lnE: 4 }))).toBe(0);
    expect(predictionsToGo(outlook({ d: 2 }))! / predictionsToGo(outlook())!).toBeCloseTo(2, 2);
  });

  it('goes by the floor where nothing is bad on either side', () => {
    // ln E grows by some .01 a prediction; the floor's prior halves it twice.
    const togo = predictionsToGo(outlook({ p0: 0, p1: 0, line: Infinity, floorLimit: 0.01 }));
    expect(togo).toBeGreaterThan(250);
    expect(togo).toBeLessThan(350);
  });

  it('is not known where evidence does not grow', () => {
    expect(predictionsToGo(outlook({ p1: 0.0595 }))).toBeNull();
    expect(predictionsToGo(outlook({ ratio: 0 }))).toBeNull();
    expect(predictionsToGo(outlook({ p0: 0, p1: 0 }))).toBeNull();
  });

  it('of latency counts on a canary being above its own limit less often than control is above T', () => {
    const quick = predictionsToGo(outlook({ p0: 0.01, p1: 0.0037, line: 1 }))!;
    expect(quick).toBeGreaterThan(300);
    expect(quick).toBeLessThan(3_000);
  });
});
