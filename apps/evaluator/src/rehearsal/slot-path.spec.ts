import type { RolloutSpec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { type RolloutEnd, type RolloutRun, runRollout } from './rollout-run.js';
import { exponential, lognormal } from './sampling.js';
import type { ArmModel } from './traffic.js';

const arm: ArmModel = {
  errorRate: () => 0.02,
  latencyMs: (random) => lognormal(random, 50, 1),
  wrongRate: () => 0.1,
  labels: { share: 0.9, delayMs: (random) => exponential(random, 2_000) },
};
const version = { url: 'http://v', deadlineMs: 10_000, maxConcurrency: 1024 };
const spec: RolloutSpec = {
  model: 'm',
  stable: { ...version, version: 'v1' },
  canary: { ...version, version: 'v2' },
  prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
  warmup: { predictions: 100, durationMs: 2_000 },
  steps: [
    { kind: 'traffic', weights: { v1: 0.5, v2: 0.5 }, atLeast: { predictions: 500, durationMs: 5_000 } },
    { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 0, durationMs: 5_000 } },
  ],
  checks: {
    errorRate: { maxIncrease: 0.05, max: 0.5, strict: false },
    accuracy: { maxDrop: 0.1, labelsWithinMs: 6_000, strict: false },
  },
  onInconclusive: 'pause',
  alpha: 0.01,
  beta: 0.05,
};

function run(changes: Partial<RolloutRun>): RolloutEnd {
  const traffic = { rate: () => 300, rateMax: 300, routers: 2, stable: arm, canary: arm };
  return runRollout({ spec, traffic, seed: 7, beforeS: 30, longestS: 300, ...changes });
}

describe('a rehearsed rollout whose records go through the slots', () => {
  it('is the same one: every summary is what the generator says, and so is the end', () => {
    const direct = run({});
    const { compared, differing, ...end } = run({ throughSlots: true });
    expect([end.end, differing]).toEqual(['promoted', 0]);
    expect(compared).toBeGreaterThan(200);
    expect({ ...end, compared: 0, differing: 0 }).toEqual(direct);
  });
});
