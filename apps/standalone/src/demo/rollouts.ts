import { MODEL } from './models/model-server.js';
import type { ServedVersion } from './models/model-servers.background.js';

/** One rollout of the demo: what is tried, and what the data should make of it. */
export interface PlannedRollout {
  readonly canary: string;
  readonly expected: 'promoted' | 'rolled-back';
  /** Code of the decision's reason that ends it; undefined: any. */
  readonly expectedReason?: string;
}

export const STABLE = 'v1';

export const ROLLOUTS: readonly PlannedRollout[] = [
  { canary: 'v3', expected: 'rolled-back', expectedReason: 'accuracy-too-low' },
  { canary: 'v4', expected: 'rolled-back', expectedReason: 'latency-too-slow' },
  { canary: 'v2', expected: 'promoted' },
];

/**
 * The rollout file that a user would write, with waits short enough to watch, and latency limits wide enough for a
 * laptop that does other things at the same time.
 */
export function rolloutFile(stable: ServedVersion, canary: ServedVersion): string {
  return `${registrationFile(stable)}canary: { version: ${canary.version}, url: ${canary.url} }
warmup: { predictions: 50, duration: 2s }
steps:
  - { traffic_split: { ${stable.version}: 0.9, ${canary.version}: 0.1 }, atLeast: { predictions: 500, duration: 5s } }
  - { traffic_split: { ${stable.version}: 0.5, ${canary.version}: 0.5 }, atLeast: { predictions: 500, duration: 5s } }
  - { traffic_split: { ${stable.version}: 0, ${canary.version}: 1 }, atLeast: { duration: 8s } }
checks:
  errorRate: { maxIncrease: 0.01 }
  accuracy: { maxDrop: 0.02, labelsWithin: 2s }
  latency: { p50: { maxRatio: 1.2, minIncreaseMs: 20 }, p95: { maxRatio: 1.2, minIncreaseMs: 100 }, p99: off }
`;
}

/** Makes the model known; its stable version gets everything. */
export function registrationFile(stable: ServedVersion): string {
  return `model: ${MODEL}
stable: { version: ${stable.version}, url: ${stable.url} }
prediction: { pointer: /outputs/0/data/0, kind: class }
`;
}
