import { describe, expect, it } from 'vitest';
import { stickinessViolations } from './stickiness.js';

const span = { stable: 'v1', canary: 'v2', until: 1000 };
const move = (from: string, to: string, at: number) => ({ user: 3, from, to, at });

describe('stickiness', () => {
  it('lets a user move once, from stable to canary', () => {
    expect(stickinessViolations([move('v1', 'v2', 10)], span)).toBe(0);
  });

  it('counts a move back, and then every further one', () => {
    const moves = [move('v1', 'v2', 10), move('v2', 'v1', 20), move('v1', 'v2', 30), move('v2', 'v1', 40)];
    expect(stickinessViolations(moves, span)).toBe(2);
  });

  it('counts a move to a version that is not in the rollout', () => {
    expect(stickinessViolations([move('v1', 'v9', 10)], span)).toBe(1);
  });

  it('does not count how a rollback reaches the users', () => {
    expect(stickinessViolations([move('v1', 'v2', 10), move('v2', 'v1', 1001)], span)).toBe(0);
  });
});
