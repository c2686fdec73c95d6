import { AS_GOOD_AS_STABLE, parseRolloutSpec, type RehearsalRequest, type RolloutSpec } from '@app/shared';

/** A short rollout in two steps whose limits a few thousand predictions can show. */
export function specOf(changes: Record<string, unknown> = {}): RolloutSpec {
  const parsed = parseRolloutSpec({
    model: 'fraud',
    stable: { version: 'blue', url: 'http://a' },
    canary: { version: 'green', url: 'http://b' },
    prediction: { pointer: '/class' },
    warmup: { predictions: 20, duration: '2s' },
    steps: [
      { traffic_split: { blue: 0.5, green: 0.5 }, atLeast: { predictions: 300, duration: '5s' } },
      { traffic_split: { blue: 0, green: 1 }, atLeast: { predictions: 300, duration: '5s' } },
    ],
    checks: {
      errorRate: { maxIncrease: 0.05 },
      accuracy: { maxDrop: 0.1, labelsWithin: '3s' },
      latency: { p50: { maxRatio: 2 }, p99: { maxRatio: 3 } },
    },
    ...changes,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

export function requestOf({ traffic, ...changes }: Partial<RehearsalRequest> = {}): RehearsalRequest {
  return {
    spec: specOf(),
    traffic: {
      predictionsPerSecond: 200,
      errorRate: 0.02,
      latency: { p50Ms: 50, p99Ms: 160 },
      accuracy: 0.9,
      labelsAfterMs: 500,
      labelsMissing: 0,
      users: null,
      ...traffic,
    },
    canary: AS_GOOD_AS_STABLE,
    runs: 10,
    forMs: null,
    jobs: 2,
    seed: 1,
    withinMs: 600_000,
    ...changes,
  };
}
