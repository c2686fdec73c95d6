import { type CheckResult, checkTitle } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { differenceText, intervalText, limitText, valueText } from './figures.js';

const check = (changes: Partial<CheckResult>): CheckResult => ({
  check: 'errorRate',
  gating: true,
  stable: null,
  canary: { n: 1, bad: 0, value: 0 },
  difference: null,
  interval: null,
  limit: 0.01,
  unit: 'fraction',
  evidence: { fail: null, pass: null },
  result: 'continue',
  predictionsToGo: null,
  ...changes,
});

describe('a check in a table', () => {
  it.each([
    [{}, 'error rate'],
    [{ segment: 'x-country=de' }, 'error rate, x-country=de'],
    [{ check: 'latency.p99', segment: 'x-country=de' }, 'latency p99 slow, x-country=de'],
    [{ check: 'custom.clickRate', unit: 'number' }, 'mean clickRate'],
    [{ check: 'predictionDrift' }, 'prediction drift'],
  ] as const)('%j is %j', (changes, title) => {
    expect(checkTitle(check(changes))).toBe(title);
  });

  it('shows numbers of one’s own as they are, without a unit', () => {
    expect([0.123456, -1.5, 12_345.6, 0].map((value) => valueText(value, 'number'))).toEqual([
      '0.123',
      '-1.5',
      '12,346',
      '0',
    ]);
    expect(differenceText(-0.0312, 'number')).toBe('-0.0312');
    expect(intervalText([-0.05, 0.01], 'number')).toBe('[-0.05,+0.01]');
    expect(limitText(check({ check: 'custom.score', unit: 'number', limit: -0.05 }))).toBe('-0.05');
  });

  it('shows what the answers to copies must agree in at least, where that is asked for', () => {
    const agreement = { check: 'shadow.agreement', canary: { n: 9, bad: 1, value: 0.9 } };
    expect(checkTitle(check(agreement))).toBe('shadow agreement');
    expect(limitText(check({ ...agreement, limit: 0.8 }))).toBe('> 0.800');
    expect(limitText(check({ ...agreement, gating: false, limit: 0 }))).toBe('-');
  });
});
