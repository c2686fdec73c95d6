import { AS_GOOD_AS_STABLE } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { requestOf, specOf } from '../testing/rehearsal-requests.js';
import { rehearseOnce } from './rehearse-once.js';

const steps = (...between: object[]) => [
  { traffic_split: { blue: 0.5, green: 0.5 }, atLeast: { predictions: 300, duration: '5s' } },
  ...between,
  { traffic_split: { blue: 0, green: 1 }, atLeast: { predictions: 300, duration: '5s' } },
];

describe('one rehearsed rollout', () => {
  it('promotes a good canary, and says which check passed last in each step', () => {
    const record = rehearseOnce(requestOf(), 1);
    expect(record).toMatchObject({ end: 'promoted', rolledBackBy: null });
    expect(record.steps).toMatchObject([
      { step: 0, passed: true },
      { step: 1, passed: true, lastCheck: null, waitedFor: 'min-duration' },
    ]);
    expect(record.steps[0]!.lastCheck).toMatch(/^(errorRate|accuracy|latency\.p(50|99))$/);
    expect(record.steps[0]!.durationMs + record.steps[1]!.durationMs).toBe(record.atMs);
  });

  it('comes to the same end again with the same seed', () => {
    expect(rehearseOnce(requestOf(), 7)).toEqual(rehearseOnce(requestOf(), 7));
    const users = { ...requestOf().traffic, users: 50 };
    expect(rehearseOnce(requestOf({ traffic: users }), 7)).toEqual(rehearseOnce(requestOf({ traffic: users }), 7));
  });

  it('rolls a dead canary back within some 35 of its predictions', () => {
    const canary = { ...AS_GOOD_AS_STABLE, deadAfterMs: 4_000 };
    const record = rehearseOnce(requestOf({ canary }), 1);
    expect(record).toMatchObject({ end: 'rolled-back', steps: [{ step: 0, passed: false, lastCheck: null }] });
    expect(record.atMs).toBeGreaterThanOrEqual(4_000);
    expect(record.canaryPredictions).toBeLessThanOrEqual(100);
  });

  it.each([
    ['errors', { errors: 0.3 }, 'errorRate'],
    ['accuracy', { accuracy: -0.5 }, 'accuracy'],
    ['latency', { latencyRatio: 10 }, 'latency.p50'],
  ])('rolls back what is far beyond the limit of %s, and names the check', (_, worse, check) => {
    const record = rehearseOnce(requestOf({ canary: { ...AS_GOOD_AS_STABLE, ...worse } }), 1);
    expect(record).toMatchObject({ end: 'rolled-back', rolledBackBy: check });
  });

  it('waits for a pause that goes on by itself, takes one for a person as approved', () => {
    const seconds = (spec: ReturnType<typeof specOf>) => rehearseOnce(requestOf({ spec }), 3).atMs / 1000;
    const plain = seconds(specOf());
    expect(seconds(specOf({ steps: steps({ pause: {} }) }))).toBeCloseTo(plain, 0);
    expect(seconds(specOf({ steps: steps({ pause: { duration: '30s' } }) })) - plain).toBeCloseTo(30, 0);
  });

  it.each([
    ['pause', 'paused', null],
    ['rollback', 'rolled-back', 'step-time-over'],
  ])('ends a step at its atMost as onInconclusive says: %s', (onInconclusive, end, rolledBackBy) => {
    const [first, bake] = steps();
    const spec = specOf({ steps: [{ ...first, atMost: { duration: '6s' } }, bake], onInconclusive });
    const record = rehearseOnce(requestOf({ spec }), 1);
    expect(record).toMatchObject({ end, rolledBackBy, code: 'step-time-over' });
    expect(record.steps).toMatchObject([{ step: 0, passed: false, lastCheck: 'accuracy' }]);
  });

  it('never promotes without labels, and says so', () => {
    const traffic = { ...requestOf().traffic, labelsMissing: 1 };
    const record = rehearseOnce(requestOf({ traffic, withinMs: 30_000 }), 1);
    expect(record).toMatchObject({ end: 'undecided', code: 'no-labels' });
    expect(record.steps.at(-1)).toMatchObject({ passed: false, waitedFor: 'no-labels' });
  });
});
