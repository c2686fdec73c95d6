import { describe, expect, it } from 'vitest';
import { parseWeights } from './weights.js';

describe('weights', () => {
  it.each([
    [{ v1: 1 }, ['v1']],
    [{ v1: 0.9, v2: 0.1 }, ['v1', 'v2']],
    [{ v1: 0.7, v2: 0.1, v3: 0.2 }, ['v1', 'v2', 'v3']],
    [{ v1: 0.1 + 0.2, v2: 0.7 }, ['v1', 'v2']],
  ])('%j are right', (weights, versions) => {
    const parsed = parseWeights(weights, versions);
    expect(parsed).toMatchObject({ ok: true });
    if (parsed.ok) expect(Object.values(parsed.value).every((w) => Number.isInteger(Math.round(w * 1e4)))).toBe(true);
  });

  it.each([
    [{ v1: 0.5 }, ['v1'], /0.5 sum to 0.5, not to 1: write \{ v1: 1 \}/],
    [{}, ['v1', 'v2'], /v1 is missing/],
    [{}, [], /not to 1/],
    [{ v1: 2, v2: 1, v3: 1 }, ['v1', 'v2', 'v3'], /write v1: 0.5, v2: 0.25, v3: 0.25/],
    [{ v1: 0, v2: 0 }, ['v1', 'v2'], /write \{ v1: 0.9, v2: 0.1 \}/],
    [{ v1: Infinity, v2: 0 }, ['v1', 'v2'], /Infinity is not a number/],
    [{ v1: 90 }, ['v1', 'v2'], /90 is above 1/],
    [{ v1: 1e300, v2: 1 }, ['v1', 'v2'], /not fractions/],
  ])('%j are refused', (weights, versions, says) => {
    const parsed = parseWeights(weights, versions);
    expect(parsed.ok ? '' : parsed.problems.map((problem) => problem.message).join('\n')).toMatch(says);
  });
});
