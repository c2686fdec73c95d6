import { describe, expect, test } from 'vitest';
import { check } from '../../test/builders.js';
import { agoText, differenceText, evidenceText, intervalText, limitText, msText, valueText } from './figures.js';

/** Narrow spaces and real minus signs as a keyboard has them. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');

describe('figures', () => {
  test.each([
    [valueText(0.912, 'fraction'), '91.2 %'],
    [valueText(0.0112, 'fraction'), '1.12 %'],
    [valueText(84.4, 'ms'), '84 ms'],
    [valueText(3.21, 'ms'), '3.2 ms'],
    [valueText(-0.123, 'number'), '-0.123'],
    [valueText(null, 'ms'), '–'],
    [msText(1224), '1.22 s'],
    [msText(12_240), '12.2 s'],
    [msText(600_000), '10m'],
  ])('of one version: %s', (text, expected) => expect(plain(text)).toBe(expected));

  test.each([
    [differenceText(-0.0052, 'fraction'), '-0.52 points'],
    [differenceText(0.158, 'fraction'), '+15.8 points'],
    [differenceText(-0.000001, 'fraction'), '+0 points'],
    [differenceText(4, 'ms'), '+4 ms'],
    [differenceText(-1500, 'ms'), '-1.5 s'],
    [differenceText(0.1234, 'number'), '+0.123'],
    [differenceText(null, 'ms'), '–'],
    [intervalText([-0.011, 0.001], 'fraction'), '-1.1 to +0.1'],
    [intervalText([1, 7], 'ms'), '+1 to +7'],
    [intervalText(null, 'ms'), ''],
  ])('with their sign: %s', (text, expected) => expect(plain(text)).toBe(expected));

  test.each([
    [check('errorRate'), '+1.0 points'],
    [check('latency.p99', { unit: 'ms', limit: 0 }), 'not known yet'],
    [check('latency.p99', { unit: 'ms', limit: 20 }), '+20 ms'],
    [check('errorCeiling', { limit: 0.5 }), 'below 50 %'],
    [check('shadow.agreement', { limit: 0.9 }), 'at least 90 %'],
    [check('shadow.agreement', { limit: 0, gating: false }), '–'],
  ])('limits as they are meant: %#', (of, expected) => expect(plain(limitText(of))).toBe(expected));

  test.each([
    [Math.log(433), '433 to 1'],
    [Math.log(2.345), '2.3 to 1'],
    [-9, 'none'],
    [30, 'over a million to 1'],
  ])('evidence is a factor: %d', (ln, expected) => expect(evidenceText(ln)).toBe(expected));

  test('ages are rough', () => {
    expect([agoText(900), agoText(75_000), agoText(7_400_000)]).toEqual(['just now', '1m15s ago', '2h ago']);
  });
});
