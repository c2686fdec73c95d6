import { describe, expect, test } from 'vitest';
import { check, T0, verdict } from '../../../test/builders.js';
import { pointSlot } from './point-slot.js';
import { decodePoint, encodePoint, pointOf, type VerdictPoint } from './verdict-point.js';
import { thinned, verdictSeries } from './verdict-series.js';

const state = { model: 'digits', generation: 3, updatedAt: T0 } as Parameters<typeof verdict>[0];
const point = (seconds: number, more: Partial<VerdictPoint> = {}): VerdictPoint => ({
  ...pointOf(verdict(state, 'continue', { asOf: T0 + seconds * 1000 })),
  ...more,
});

describe('a point', () => {
  test('has the figures of its verdict and comes back from its text', () => {
    const checks = [
      check('accuracy', { segment: 'x-country=de', difference: -0.0123456789, interval: null }),
      check('latencyCeiling.p99', { stable: null, unit: 'ms', limit: 250 }),
    ];
    const made = pointOf(verdict(state, 'hold', { checks, reason: { code: 'no-labels', text: 'none' } }));
    expect(made).toMatchObject({ result: 'hold', code: 'no-labels', counted: { stable: 9000, canary: 1000 } });
    expect(made.checks).toMatchObject([
      { check: 'accuracy', segment: 'x-country=de', difference: -0.012346, low: null, high: null, n: 1000 },
      { check: 'latencyCeiling.p99', segment: null, unit: 'ms', stable: null, limit: 250, low: -0.004, high: 0.006 },
    ]);
    expect(decodePoint(encodePoint(made))).toEqual(made);
  });

  test.each(['', '{', '{}', '[2,1]', '[1,2,3]', 'null'])('is not made of %j', (text) => {
    expect(decodePoint(text)).toBeNull();
  });
});

describe('slots', () => {
  const any = point(0);
  const slotAt = (seconds: number): string => pointSlot({ ...any, at: T0 + seconds * 1000 }, T0);

  test('are a second wide at first and then a 64th of the age, without gaps or overlaps', () => {
    let width = 0;
    let changes = 0;
    for (let second = 0; second < 100_000; second++) {
      width++;
      if (slotAt(second) === slotAt(second + 1)) continue;
      const age = second + 1;
      expect(width).toBeLessThanOrEqual(Math.max(1, age / 64));
      width = 0;
      changes++;
    }
    expect(slotAt(5)).not.toBe(slotAt(6));
    expect(changes).toBeLessThan(64 * (1 + Math.log2(100_000 / 64) + 1));
  });

  test('hold one point of each step and result', () => {
    expect(pointSlot(point(5, { result: 'fail' }), T0)).not.toBe(pointSlot(point(5), T0));
    expect(pointSlot(point(5, { step: 1 }), T0)).not.toBe(pointSlot(point(5), T0));
    expect(pointSlot(point(5.4), T0)).toBe(pointSlot(point(5.9), T0));
  });
});

describe('a series', () => {
  test('that is too long keeps its ends and every change of step or result', () => {
    const points = Array.from({ length: 1000 }, (_, i) =>
      point(i, { step: i < 501 ? 0 : 1, result: i === 777 ? 'hold' : 'continue' }),
    );
    const few = thinned(points, 100);
    expect(few.length).toBeLessThan(110);
    const seconds = few.map(({ at }) => (at - T0) / 1000);
    expect(seconds).toEqual([...seconds].sort((a, b) => a - b));
    for (const kept of [0, 500, 776, 777, 999]) expect(seconds).toContain(kept);
    expect(thinned(points.slice(0, 90), 100)).toHaveLength(90);
  });

  test('has every check that any verdict has, with nothing where it is not in one', () => {
    const first = pointOf(verdict(state, 'continue', { asOf: T0, checks: [check('shadow.accuracy')] }));
    const second = pointOf(
      verdict(state, 'fail', { asOf: T0 + 1, checks: [check('errorRate', { result: 'fail', difference: 0.2 })] }),
    );
    const series = verdictSeries([first, second]);
    expect(series).toMatchObject({ at: [T0, T0 + 1], result: ['continue', 'fail'], canary: [1000, 1000] });
    expect(series.checks.map((c) => [c.check, c.difference, c.result])).toEqual([
      ['shadow.accuracy', [0.001, null], ['pass', null]],
      ['errorRate', [null, 0.2], [null, 'fail']],
    ]);
  });
});
