import { describe, expect, it } from 'vitest';
import { rolloutState } from '../testing/rollout-state.js';
import { isNewer, planRouting } from './routing-plan.js';

const urls = { v1: 'http://a', v2: 'http://b' };

describe('the routing plan of a state', () => {
  it('holds the arms in their order and every version, with weight or without', () => {
    const plan = planRouting(rolloutState({ urls, weights: { v1: 0.9, v2: 0.1 } }));
    expect(plan).toMatchObject({
      arms: [
        { version: 'v2', endPoint: 1000 },
        { version: 'v1', endPoint: 10_000 },
      ],
      versions: [
        { version: 'v1', index: 1, role: 'stable' },
        { version: 'v2', index: 2, role: 'canary' },
      ],
      firstByte: false,
    });
  });

  it.each([
    [rolloutState({ urls: { v2: 'http://b' } }), /stable version v1 has no URL/],
    [rolloutState({ urls: { v1: 'http://a' }, weights: { v1: 0.5, v2: 0.5 } }), /v2 has weight and no URL/],
  ])('is refused with a reason if it could not be served', (state, reason) => {
    expect(planRouting(state)).toMatch(reason);
  });

  it.each([
    [[1, 1], undefined, true],
    [[2, 5], [1, 9], true],
    [[1, 9], [2, 5], false],
    [[2, 6], [2, 5], true],
    [[2, 5], [2, 5], false],
    [[2, 4], [2, 5], false],
  ] as const)('of generation and sequence %j replaces %j: %s', (next, current, newer) => {
    const of = ([generation, sequence]: readonly [number, number]) => ({ generation, sequence });
    expect(isNewer(of(next), current && of(current))).toBe(newer);
  });
});
