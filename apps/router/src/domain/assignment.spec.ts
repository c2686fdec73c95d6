import { describe, expect, it } from 'vitest';
import { POINTS, armOfPoint, assignmentPoint, dealPoints, userGroup } from './assignment.js';
import { xxh32 } from './hash.js';

const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
const roles = { stable: 'v1', canary: 'v2' };
const versionOf = (weights: Record<string, number>, salt: string, unit: string): string => {
  const arms = dealPoints(weights, roles);
  return arms[armOfPoint(arms, assignmentPoint(salt, unit))]!.version;
};

describe('hash', () => {
  it.each([
    ['', 0, 0x02cc5d05],
    ['a', 0, 0x550d7456],
    ['abc', 0, 0x32d153ff],
    ['', 0x9e3779b1, 0x36b78ae7],
  ])('XXH32 of %j with seed %d is the published value', (text, seed, expected) => {
    expect(xxh32(text, seed)).toBe(expected);
  });
});

describe('assignment', () => {
  it.each([
    ['alice', 7598, 3005, 56],
    ['bob', 8233, 9936, 62],
    ['user-1', 5787, 7453, 58],
    ['ünïcode', 2997, 4011, 48],
    ['', 5123, 7050, 2],
  ])('puts %j on the same points and into the same group for ever', (unit, first, second, group) => {
    expect([assignmentPoint('digits-1', unit), assignmentPoint('digits-2', unit), userGroup(unit)]).toEqual([
      first,
      second,
      group,
    ]);
  });

  it.each([0.0001, 0.01, 0.1, 0.5, 0.9])('sends a share of %d to the canary, within four standard errors', (share) => {
    const canary = users.filter((u) => versionOf({ v1: 1 - share, v2: share }, 'digits-7', u) === 'v2').length;
    const error = Math.sqrt(users.length * share * (1 - share));
    expect(Math.abs(canary - users.length * share)).toBeLessThan(4 * error + 1);
  });

  it('never moves a user off the canary while its weight rises, and moves each at most once', () => {
    const shares = [0.01, 0.1, 0.25, 0.5, 1];
    for (const user of users.slice(0, 5000)) {
      const path = shares.map((w) => versionOf({ v1: 1 - w, v2: w }, 'digits-1', user));
      expect(path.lastIndexOf('v1')).toBe(path.indexOf('v2') === -1 ? path.length - 1 : path.indexOf('v2') - 1);
    }
  });

  it('deals users anew under another salt: about a tenth of the first tenth is in the second', () => {
    const weights = { v1: 0.9, v2: 0.1 };
    const first = users.filter((u) => versionOf(weights, 'digits-1', u) === 'v2');
    const both = first.filter((u) => versionOf(weights, 'digits-2', u) === 'v2').length;
    expect(both / first.length).toBeGreaterThan(0.07);
    expect(both / first.length).toBeLessThan(0.13);
  });

  it('groups users independently of their version: every group holds its share of the canary', () => {
    const canaryByGroup = new Array<number>(64).fill(0);
    const byGroup = new Array<number>(64).fill(0);
    for (const user of users) {
      byGroup[userGroup(user)]!++;
      if (versionOf({ v1: 0.5, v2: 0.5 }, 'digits-1', user) === 'v2') canaryByGroup[userGroup(user)]!++;
    }
    for (let g = 0; g < 64; g++) {
      expect(byGroup[g]).toBeGreaterThan(220);
      expect(canaryByGroup[g]! / byGroup[g]!).toBeGreaterThan(0.34);
      expect(canaryByGroup[g]! / byGroup[g]!).toBeLessThan(0.66);
    }
  });

  it('puts the canary first and stable last whatever their names are', () => {
    const arms = dealPoints({ a: 0.5, m: 0.2, z: 0.3 }, { stable: 'a', canary: 'z' });
    expect(arms).toEqual([
      { version: 'z', endPoint: 3000 },
      { version: 'm', endPoint: 5000 },
      { version: 'a', endPoint: POINTS },
    ]);
  });

  it('leaves out versions without weight, and gives everything to stable when nothing has any', () => {
    expect(dealPoints({ v1: 0, v2: 1 }, roles)).toEqual([{ version: 'v2', endPoint: POINTS }]);
    expect(dealPoints({}, roles)).toEqual([{ version: 'v1', endPoint: POINTS }]);
  });

  it('reaches every point and never goes past the last arm', () => {
    const arms = dealPoints({ v1: 0.9, v2: 0.1 }, roles);
    expect([0, 999, 1000, 9999].map((p) => arms[armOfPoint(arms, p)]!.version)).toEqual(['v2', 'v2', 'v1', 'v1']);
  });
});
