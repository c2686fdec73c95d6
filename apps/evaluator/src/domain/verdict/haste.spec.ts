import { describe, expect, it } from 'vitest';
import { armOf, bucketOf } from '../../../../../test/fixtures/summaries.js';
import { Haste } from './haste.js';
import { RecentShares } from './recent-shares.js';

const PLAN = { stable: 'v1', canary: 'v2' };

/** A bucket's first record, 50 ms after its end: so many of the canary's 5 and of stable's 40 have no answer yet. */
function firstRecord(pending: { readonly canary: number; readonly stable: number }) {
  const arm = (routed: number, waiting: number) =>
    armOf(
      Array.from({ length: routed - waiting }, (_, group) => ({ group })),
      { pending: waiting },
    );
  const versions = { v1: arm(40, pending.stable), v2: arm(5, pending.canary) };
  return bucketOf({ versions, routedFrom: 1_000_000, ageMs: 50, final: false });
}

/** Errors of the newest second. */
function errors(n1: number, x1: number): RecentShares {
  const shares = new RecentShares();
  shares.add(1_000_000, [n1, x1, 9 * n1, 0], null);
  return shares;
}

describe('a FAIL may be near', () => {
  it.each([
    { what: 'nobody waits long', canary: 1, stable: 10, near: false },
    { what: 'the canary hangs', canary: 5, stable: 10, near: true },
    { what: 'some of the canary’s wait', canary: 4, stable: 10, near: false },
    { what: 'both are slower than that', canary: 5, stable: 36, near: false },
  ])('when $what: $near', ({ canary, stable, near }) => {
    const haste = new Haste();
    haste.see(firstRecord({ canary, stable }), PLAN);
    expect(haste.isNear(errors(5, 0))).toBe(near);
  });

  it('goes by first records alone', () => {
    const haste = new Haste();
    haste.see({ ...firstRecord({ canary: 5, stable: 10 }), previousAgeMs: 50, ageMs: 250 }, PLAN);
    expect(haste.isNear(errors(5, 0))).toBe(false);
  });

  it.each([
    { n1: 50, x1: 2, near: false },
    { n1: 50, x1: 10, near: false },
    { n1: 50, x1: 11, near: true },
    { n1: 3, x1: 3, near: true },
  ])('when $x1 of the canary’s $n1 failed: $near', ({ n1, x1, near }) => {
    expect(new Haste().isNear(errors(n1, x1))).toBe(near);
  });

  it('when the evidence has come half of the way', () => {
    const haste = new Haste();
    const levels = { lnFail: Math.log(100), lnPass: Math.log(20) };
    haste.judged({ lnE: Math.log(9), levels, checks: [] });
    expect(haste.isNear(errors(50, 0))).toBe(false);
    haste.judged({ lnE: Math.log(11), levels, checks: [] });
    expect(haste.isNear(errors(50, 0))).toBe(true);
  });
});
