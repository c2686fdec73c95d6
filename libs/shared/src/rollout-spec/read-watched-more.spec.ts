import { describe, expect, it } from 'vitest';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import { renderRolloutSpec } from './render-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';

const file = (changes: Record<string, unknown>): Record<string, unknown> => ({
  model: 'digits',
  stable: { version: 'v1', url: 'http://v1' },
  canary: { version: 'v2', url: 'http://v2' },
  prediction: { pointer: '/class' },
  steps: [{ traffic_split: { v1: 0.9, v2: 0.1 } }, { traffic_split: { v1: 0, v2: 1 } }],
  ...changes,
});
const specOf = (changes: Record<string, unknown>): RolloutSpec => {
  const parsed = parseRolloutSpec(file(changes));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
};
const refusals = (changes: Record<string, unknown>): string[] => {
  const parsed = parseRolloutSpec(file(changes));
  return parsed.ok ? [] : parsed.problems.map(({ field, code }) => `${field} ${code}`);
};

describe('what a rollout watches beyond its usual checks', () => {
  it('is off unless it is written', () => {
    const { checks, segments } = specOf({});
    expect([checks.custom, checks.drift, segments]).toEqual([undefined, undefined, undefined]);
  });

  it('has defaults, and comes back from what is rendered', () => {
    const changes = {
      checks: {
        custom: {
          score: { pointer: '/parameters/score', maxDrop: 0.05 },
          revenue: { from: 'label', maxDrop: 2, minEffect: 0.5 },
          tokens: { pointer: '/usage/tokens', maxIncrease: 20 },
        },
        drift: {},
      },
      segments: { header: 'X-Country' },
    };
    const spec = specOf(changes);
    expect(spec.checks.custom).toEqual({
      score: { from: 'answer', source: '/parameters/score', worse: 'lower', limit: 0.05, minEffect: 0.05 },
      revenue: { from: 'label', source: 'revenue', worse: 'lower', limit: 2, minEffect: 0.5 },
      tokens: { from: 'answer', source: '/usage/tokens', worse: 'higher', limit: 20, minEffect: 20 },
    });
    expect(spec.checks.drift).toEqual({ allowance: 0.1 });
    expect(spec.segments).toEqual({ header: 'x-country', top: 5 });
    expect(parseRolloutSpec(renderRolloutSpec(spec))).toMatchObject({ ok: true, value: spec });
  });

  it.each([
    [{ custom: { score: { pointer: '/score' } } }, 'checks.custom.score no-limit'],
    [{ custom: { score: { pointer: '/score', maxDrop: 1, maxIncrease: 1 } } }, 'checks.custom.score no-limit'],
    [{ custom: { score: { maxDrop: 1 } } }, 'checks.custom.score no-pointer'],
    [{ custom: { score: { pointer: 'score', maxDrop: 1 } } }, 'checks.custom.score.pointer wrong-value'],
    [{ custom: { score: { pointer: '/score', maxDrop: 0 } } }, 'checks.custom.score.maxDrop wrong-value'],
    [{ custom: { '9': { pointer: '/score', maxDrop: 1 } } }, 'checks.custom.9 wrong-name'],
    [
      { custom: { score: { from: 'label', pointer: '/score', maxDrop: 1 } } },
      'checks.custom.score.pointer wrong-value',
    ],
    [{ accuracy: 'off', custom: { score: { from: 'label', maxDrop: 1 } } }, 'checks.custom.score no-labels'],
    [{ drift: { allowance: -1 } }, 'checks.drift.allowance wrong-value'],
    [{ drift: { allowed: 1 } }, 'checks.drift.allowed unknown-key'],
  ])('refuses %j', (checks, refusal) => {
    expect(refusals({ checks })).toEqual([refusal]);
  });

  it('refuses more than 8 means, drift without a prediction, and segments that are secrets or nonsense', () => {
    const nine = Array.from({ length: 9 }, (_, i) => [`m${i}`, { pointer: '/m', maxDrop: 1 }] as const);
    expect(refusals({ checks: { custom: Object.fromEntries(nine) } })).toEqual(['checks.custom wrong-value']);
    expect(refusals({ prediction: undefined, checks: { drift: {} } })).toContain('checks.drift no-prediction');
    expect(refusals({ segments: { header: 'Authorization' } })).toEqual(['segments.header wrong-value']);
    expect(refusals({ segments: { header: 'x country' } })).toEqual(['segments.header wrong-value']);
    expect(refusals({ segments: { header: 'x-country', top: 0 } })).toEqual(['segments.top wrong-value']);
  });
});
