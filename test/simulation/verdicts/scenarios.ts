import type { RolloutSpec } from '@app/shared';
import { exponential, lognormal } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { ArmModel, TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';

/** What the whole decision's figures are measured with (verdict-engine.md, section 9). */
export const ERROR_RATE = 0.02;
export const MEDIAN_MS = 50;
export const SIGMA = 0.5;
const ACCURACY = 0.9;

/** A version as good as any: 2 % errors, lognormal latencies, 90 % right, labels within a minute. */
export function arm(changes: Partial<ArmModel> = {}): ArmModel {
  return {
    errorRate: (_, propensity) => ERROR_RATE * propensity,
    latencyMs: (random) => lognormal(random, MEDIAN_MS, SIGMA),
    wrongRate: () => 1 - ACCURACY,
    labels: { share: 1, delayMs: (random) => exponential(random, 10_000) },
    ...changes,
  };
}

export function traffic(perSecond: number, changes: Partial<TrafficModel> = {}): TrafficModel {
  return { rate: () => perSecond, rateMax: perSecond, routers: 1, stable: arm(), canary: arm(), ...changes };
}

/** Three steps, all checks; nothing strict. */
export function rolloutSpec(changes: Partial<RolloutSpec> = {}): RolloutSpec {
  const atLeast = { predictions: 1000, durationMs: 60_000 };
  return {
    model: 'm',
    stable: { version: 'v1', url: 'http://v1', deadlineMs: 10_000, maxConcurrency: 1024 },
    canary: { version: 'v2', url: 'http://v2', deadlineMs: 10_000, maxConcurrency: 1024 },
    prediction: { pointer: '/class', kind: 'class', tolerance: 0 },
    warmup: { predictions: 200, durationMs: 30_000 },
    steps: [
      { kind: 'traffic', weights: { v1: 0.9, v2: 0.1 }, atLeast },
      { kind: 'traffic', weights: { v1: 0.5, v2: 0.5 }, atLeast },
      { kind: 'traffic', weights: { v1: 0, v2: 1 }, atLeast: { predictions: 0, durationMs: 60_000 } },
    ],
    checks: {
      errorRate: { maxIncrease: 0.01, max: 0.5, strict: false },
      accuracy: { maxDrop: 0.02, labelsWithinMs: 60_000, strict: false },
      latency: { p50: { maxRatio: 1.2, minIncreaseMs: 5 }, p99: { maxRatio: 1.2, minIncreaseMs: 5 }, strict: false },
    },
    onInconclusive: 'pause',
    alpha: 0.01,
    beta: 0.05,
    ...changes,
  };
}
