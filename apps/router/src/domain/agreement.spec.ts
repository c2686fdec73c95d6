import { describe, expect, it } from 'vitest';
import { agreement } from './agreement.js';
import { NO_VALUE, type PredictionValue } from './prediction-value.js';

const number = (value: number): PredictionValue => ({ kind: 'number', sealed: value, shown: value });
const ofClass = (value: number): PredictionValue => ({ kind: 'class', sealed: value, shown: String(value) });

describe('agreement', () => {
  it.each([
    ['equal classes', ofClass(3), ofClass(3), 0, true],
    ['different classes, whatever the tolerance', ofClass(3), ofClass(4), 5, false],
    ['numbers within the tolerance', number(4.35), number(4.25), 0.1, true],
    ['numbers beyond it', number(4.35), number(4.24), 0.1, false],
    ['equal numbers without a tolerance', number(0.3), number(0.1 + 0.2), 0, true],
    ['an answer without a prediction', NO_VALUE, ofClass(3), 0, undefined],
    ['a class and a number', ofClass(3), number(3), 0, undefined],
  ])('of %s', (_name, stable, canary, tolerance, expected) => {
    expect(agreement(stable, canary, tolerance)).toBe(expected);
  });
});
