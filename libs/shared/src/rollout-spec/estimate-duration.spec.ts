import { describe, expect, it } from 'vitest';
import { estimateDuration } from './estimate-duration.js';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';

const MINUTE_MS = 60_000;

/** The rollout of the published simulation: 10, 50, 100 %, labels within a minute. */
function specWith(change: Record<string, unknown> = {}, labelsWithin = '60s'): RolloutSpec {
  const parsed = parseRolloutSpec({
    model: 'm',
    stable: { version: 'v1', url: 'http://a' },
    canary: { version: 'v2', url: 'http://b' },
    prediction: { pointer: '/class' },
    steps: [0.1, 0.5, 1].map((v2) => ({ traffic_split: { v1: 1 - v2, v2 } })),
    checks: { accuracy: { labelsWithin } },
    ...change,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

describe('how long a rollout will take', () => {
  it.each([
    [5, 4.6 * 60],
    [50, 25],
    [500, 5.4],
    [5000, 4],
  ])('at %d predictions/s comes within 15 %% of the simulated %d minutes', (perSecond, minutes) => {
    const { totalMs } = estimateDuration(specWith(), perSecond);
    expect(totalMs! / MINUTE_MS / minutes).toBeGreaterThan(0.85);
    expect(totalMs! / MINUTE_MS / minutes).toBeLessThan(1.15);
  });

  it('counts the label horizon once: 34 minutes with labels within 30', () => {
    const estimate = estimateDuration(specWith({}, '30m'), 500);
    expect(estimate.totalMs! / MINUTE_MS).toBeCloseTo(34, 0);
    expect(estimate.steps.map((s) => s.waitsFor)).toEqual(['labels', 'evidence', 'minimum']);
  });

  it('leaves the time of a person out, and says that one is waited for', () => {
    const steps = [
      { traffic_split: { v1: 0.5, v2: 0.5 } },
      { pause: {} },
      { pause: { duration: '1h' } },
      { traffic_split: { v1: 0, v2: 1 }, atLeast: { duration: '10m' } },
    ];
    const estimate = estimateDuration(specWith({ steps }), 5000);
    expect(estimate.waitsForPerson).toBe(true);
    expect(estimate.steps[1]).toEqual({ step: 1, durationMs: null, waitsFor: 'person' });
    expect(estimate.totalMs).toBe(estimate.steps[0]!.durationMs! + 70 * MINUTE_MS);
  });

  it('waits for the least number of canary predictions', () => {
    const steps = [
      { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: { predictions: 100_000 } },
      { traffic_split: { v1: 0, v2: 1 } },
    ];
    expect(estimateDuration(specWith({ steps }), 100).steps[0]).toEqual({
      step: 0,
      durationMs: 30_000 + 10_000_000,
      waitsFor: 'predictions',
    });
  });

  it('does not end without traffic', () => {
    const estimate = estimateDuration(specWith(), 0);
    expect(estimate.totalMs).toBeNull();
    expect(estimate.warnings.map((w) => w.code)).toEqual(['no-traffic']);
  });

  it('warns of an atMost that comes before the evidence', () => {
    const steps = [
      { traffic_split: { v1: 0.9, v2: 0.1 }, atMost: { duration: '5m' } },
      { traffic_split: { v1: 0, v2: 1 } },
    ];
    expect(estimateDuration(specWith({ steps }), 500).warnings).toEqual([]);
    expect(estimateDuration(specWith({ steps }), 60).warnings).toMatchObject([
      { field: 'steps.0.atMost', code: 'not-reachable' },
    ]);
  });

  it('proposes a larger first step below 50 predictions/s', () => {
    const [warning] = estimateDuration(specWith(), 20).warnings;
    expect(warning).toMatchObject({ field: 'steps.0.traffic_split', code: 'too-little-traffic' });
    expect(warning!.message).toMatch(/0\.25 to 0\.5/);
    const half = [{ traffic_split: { v1: 0.5, v2: 0.5 } }, { traffic_split: { v1: 0, v2: 1 } }];
    expect(estimateDuration(specWith({ steps: half }), 20).warnings).toEqual([]);
  });

  it('says which limit would be reached within an atMost', () => {
    const steps = [
      { traffic_split: { v1: 0.5, v2: 0.5 }, atMost: { duration: '5m' } },
      { traffic_split: { v1: 0, v2: 1 } },
    ];
    const checks = { accuracy: 'off', latency: 'off', errorRate: { maxIncrease: 0.002 } };
    const [warning] = estimateDuration(specWith({ steps, checks }), 200).warnings;
    expect(warning).toMatchObject({ field: 'steps.0.atMost', code: 'not-reachable' });
    const limit = Number(/checks\.errorRate\.maxIncrease to (\S+)$/.exec(warning!.message)![1]);
    const wider = { ...checks, errorRate: { maxIncrease: limit } };
    expect(estimateDuration(specWith({ steps, checks: wider }), 200).warnings).toEqual([]);
  });

  it('warns once of a limit that takes more than a day to show, with one that can be shown', () => {
    const checks = { accuracy: 'off', latency: 'off', errorRate: { maxIncrease: 0.0001 } };
    const warnings = estimateDuration(specWith({ checks }), 500).warnings;
    expect(warnings).toMatchObject([{ field: 'checks.errorRate.maxIncrease', code: 'limit-too-tight' }]);
    expect(warnings[0]!.message).toMatch(/0\.0001 can be shown to hold only after some [\d,]+ predictions, \d+d/);
    const limit = Number(/: (\S+) would take 6h$/.exec(warnings[0]!.message)![1]);
    const wider = { ...checks, errorRate: { maxIncrease: limit } };
    const [step] = estimateDuration(specWith({ checks: wider }), 500).steps;
    expect(step!.durationMs! / 3_600_000).toBeGreaterThan(5);
    expect(step!.durationMs! / 3_600_000).toBeLessThan(6.1);
  });

  it('warns of a latency ratio that is hardly one', () => {
    const checks = { accuracy: 'off', latency: { p99: { maxRatio: 1.01 } } };
    expect(estimateDuration(specWith({ checks }), 50).warnings).toMatchObject([
      { field: 'checks.latency.p99.maxRatio', code: 'limit-too-tight' },
    ]);
  });

  it('takes the traffic as it is said to be: cleaner is quicker, and none bad at all is no exception', () => {
    const checks = { accuracy: 'off', latency: 'off' };
    const at = (errorRate: number) =>
      estimateDuration(specWith({ checks }), 50, { errorRate, accuracy: 0.9, latencySigma: 0.5 }).steps[0]!.durationMs!;
    expect(at(0)).toBeGreaterThan(0);
    expect(at(0)).toBeLessThanOrEqual(at(0.001));
    expect(at(0.001)).toBeLessThan(at(0.02));
    expect(at(0.02)).toBeLessThan(at(0.2));
  });

  it('waits only for time in the bake', () => {
    expect(estimateDuration(specWith(), 2).steps[2]).toEqual({ step: 2, durationMs: 60_000, waitsFor: 'minimum' });
  });

  it('has nothing to say of a registration', () => {
    const spec = specWith({ canary: undefined, steps: undefined, checks: undefined });
    expect(estimateDuration(spec, 100)).toMatchObject({ totalMs: 0, steps: [], warnings: [] });
  });
});
