import { describe, expect, it } from 'vitest';
import { rolloutState } from '../testing/rollout-state.js';
import { shareOf, shareOfState } from './worker-share.js';

const shares = (total: number, count: number, least?: number): number[] =>
  Array.from({ length: count }, (_, index) => shareOf(total, { index, count }, least));

describe("a worker's share", () => {
  it.each([
    [10, 1, [10]],
    [10, 2, [5, 5]],
    [10, 3, [4, 3, 3]],
    [2, 4, [1, 1, 1, 1]],
    [0, 2, [1, 1]],
  ])('of %d for %d is %j', (total, count, expected) => {
    expect(shares(total, count)).toEqual(expected);
  });

  it('adds up, and is never less than the least', () => {
    for (let total = 8; total < 40; total++) expect(shares(total, 8).reduce((a, b) => a + b)).toBe(total);
    expect(shares(0, 2, 0)).toEqual([0, 0]);
    expect(shares(100, 2, 64)).toEqual([64, 64]);
  });

  it("of a state is its versions' concurrency; the weights are everybody's", () => {
    const state = rolloutState({ urls: { v1: 'http://a', v2: 'http://b' }, maxConcurrency: 5 });
    const share = shareOfState(state, { index: 1, count: 2 });
    expect(share.versions['v1']).toEqual({ ...state.versions['v1'], maxConcurrency: 2 });
    expect({ ...share, versions: null }).toEqual({ ...state, versions: null });
  });
});
