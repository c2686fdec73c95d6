import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.js';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import { renderRolloutSpec } from './render-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';

const base = {
  model: 'digits',
  stable: { version: 'v1', url: 'http://127.0.0.1:9001' },
  canary: { version: 'v2', url: 'http://127.0.0.1:9002/base', deadline: '1m30s', maxConcurrency: 3 },
  steps: [
    { traffic_split: { v1: 0.9, v2: 0.1 }, atMost: { duration: '1d' } },
    { pause: { duration: '10m' } },
    { pause: null },
    { traffic_split: { v1: 0, v2: 1 }, atLeast: { predictions: 0, duration: '0s' } },
  ],
};
const files: Record<string, unknown>[] = [
  base,
  { model: 'm', stable: { version: '1', url: 'https://a' }, prediction: { pointer: '' } },
  {
    ...base,
    prediction: { pointer: '/a~1b', kind: 'number', tolerance: 0.5 },
    onInconclusive: 'rollback',
    alpha: 0.05,
  },
  { ...base, checks: { errorRate: 'off', latency: { p50: 'off', p95: { maxMs: 9, maxRatio: 'off' } }, firstByte: {} } },
  {
    ...base,
    prediction: { pointer: '/c' },
    checks: { accuracy: { strict: true, labelsWithin: '90s' }, latency: 'off' },
  },
];

describe('a spec written as a user would write it', () => {
  it.each(files)('is read as the same spec again', (file) => {
    const spec = read(file);
    expect(read(renderRolloutSpec(spec))).toEqual(spec);
  });
});

function read(input: unknown): RolloutSpec {
  const parsed = parseRolloutSpec(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['0s', 0],
  ])('%s is %d ms, and back', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    expect(formatDuration(ms)).toBe(text);
  });
  it.each(['', '5', '5 m', 'm', '-5m', '1h-3m', '5min', '1e3s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
