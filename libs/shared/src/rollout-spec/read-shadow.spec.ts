import { describe, expect, it } from 'vitest';
import { estimateDuration } from './estimate-duration.js';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import { renderRolloutSpec } from './render-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';

const FIRST = { traffic_split: { v1: 0.9, v2: 0.1 } };
const LAST = { traffic_split: { v1: 0, v2: 1 } };

/** A rollout with a shadow step, and parts of it replaced. */
function fileWith(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    model: 'digits',
    stable: { version: 'v1', url: 'http://127.0.0.1:9001' },
    canary: { version: 'v2', url: 'http://127.0.0.1:9002' },
    prediction: { pointer: '/class' },
    steps: [{ shadow: { fraction: 0.5 }, atMost: { duration: '1h' } }, FIRST, LAST],
    ...change,
  };
}

function read(input: unknown): RolloutSpec {
  const parsed = parseRolloutSpec(input);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('a shadow step', () => {
  it('has a fraction, and lasts as other steps do', () => {
    expect(read(fileWith()).steps[0]).toEqual({
      kind: 'shadow',
      fraction: 0.5,
      atLeast: { predictions: 1000, durationMs: 60_000 },
      atMostMs: 3_600_000,
    });
  });

  it.each([
    ['by default accuracy where labels are compared', {}, { maxDrop: 0.02 }],
    ['nothing but errors without a prediction', { prediction: undefined }, {}],
    ['nothing but errors without labels', { checks: { accuracy: 'off' } }, {}],
    [
      'what is written',
      { checks: { shadow: { minAgreement: 0.9, maxDrop: 0.05 } } },
      { minAgreement: 0.9, maxDrop: 0.05 },
    ],
    ['agreement alone', { checks: { shadow: { minAgreement: 0.9, maxDrop: 'off' } } }, { minAgreement: 0.9 }],
    ['nothing, if it is off', { checks: { shadow: 'off' } }, undefined],
  ])('is held to %s', (_name, change, check) => {
    expect(read(fileWith(change)).checks.shadow).toEqual(check);
  });

  it('is what a rollout without one is not held to', () => {
    expect(read(fileWith({ steps: [FIRST, LAST] })).checks.shadow).toBeUndefined();
  });

  it.each([
    ['after the canary has users', { steps: [FIRST, { shadow: { fraction: 1 } }, LAST] }, 'shadow-too-late'],
    ['as the last step', { steps: [{ shadow: { fraction: 1 } }] }, 'not-full-at-end'],
    ['beside a traffic_split', { steps: [{ ...FIRST, shadow: { fraction: 1 } }, LAST] }, 'wrong-step'],
    ['of nothing', { steps: [{ shadow: { fraction: 0 } }, LAST] }, 'wrong-value'],
    ['of more than everything', { steps: [{ shadow: { fraction: 50 } }, LAST] }, 'wrong-value'],
    ['of a percentage', { steps: [{ shadow: { fraction: '50%' } }, LAST] }, 'wrong-value'],
    ['of a fraction too fine', { steps: [{ shadow: { fraction: 0.12345 } }, LAST] }, 'too-many-decimals'],
    ['whose check is there alone', { steps: [FIRST, LAST], checks: { shadow: {} } }, 'no-shadow-step'],
    ['that compares answers without a prediction', { prediction: undefined, checks: agreement() }, 'no-prediction'],
    ['that compares labels nobody reads', { checks: { accuracy: 'off', shadow: { maxDrop: 0.1 } } }, 'no-labels'],
  ])('%s is refused', (_name, change, code) => {
    const parsed = parseRolloutSpec(fileWith(change));
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.code)).toContain(code);
  });

  it.each([{}, { checks: { shadow: { minAgreement: 0.9, maxDrop: 'off' } } }, { checks: { shadow: 'off' } }])(
    'is read as the same again from %j',
    (change) => {
      const spec = read(fileWith(change));
      expect(read(renderRolloutSpec(spec))).toEqual(spec);
    },
  );

  it('is part of the forecast', () => {
    const { steps } = estimateDuration(read(fileWith()), 200);
    expect(steps[0]).toMatchObject({ step: 0, waitsFor: 'labels', check: 'shadow.accuracy' });
    expect(steps[0]!.durationMs).toBeGreaterThan(300_000);
    expect(steps[0]!.durationMs).toBeLessThan(400_000);
    expect(estimateDuration(read(fileWith()), 0).steps[0]).toMatchObject({ durationMs: null, waitsFor: 'traffic' });
  });
});

const agreement = (): object => ({ shadow: { minAgreement: 0.9 } });
