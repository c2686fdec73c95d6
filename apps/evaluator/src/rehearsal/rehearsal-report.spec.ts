import { AS_GOOD_AS_STABLE, type RehearsalRequest } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { requestOf, specOf } from '../testing/rehearsal-requests.js';
import { reportOf, wilson95 } from './rehearsal-report.js';
import type { RunRecord } from './rehearse-once.js';
import type { StepRecord } from './step-watch.js';

const first = (changes: Partial<StepRecord> = {}): StepRecord => ({
  step: 0,
  durationMs: 50_000,
  passed: true,
  lastCheck: 'accuracy',
  waitedFor: 'accuracy',
  ...changes,
});
const bake: StepRecord = { step: 1, durationMs: 10_000, passed: true, lastCheck: null, waitedFor: 'min-duration' };
const run = (changes: Partial<RunRecord> = {}): RunRecord => ({
  end: 'promoted',
  atMs: 60_000,
  code: 'bake-complete',
  rolledBackBy: null,
  canaryPredictions: 1_000,
  steps: [first(), bake],
  ...changes,
});
const rolledBack = (by: string, changes: Partial<RunRecord> = {}) =>
  run({ end: 'rolled-back', rolledBackBy: by, steps: [first({ passed: false, lastCheck: null })], ...changes });
const paused = run({ end: 'paused', code: 'step-time-over', steps: [first({ passed: false })] });
const stuck = run({ end: 'undecided', code: 'evidence-growing', steps: [first({ passed: false })] });
const times = (n: number, record: RunRecord) => Array.from({ length: n }, () => record);
const report = (runs: readonly RunRecord[], request: Partial<RehearsalRequest> = {}) =>
  reportOf(requestOf(request), runs, { elapsedMs: 1_000, abandoned: 0 });
const advised = (runs: readonly RunRecord[], request: Partial<RehearsalRequest> = {}) =>
  report(runs, request).advice.map(({ code, field }) => `${code} ${field}`);

describe('the report of a rehearsal', () => {
  it.each([
    [0, 0, 0, 1],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [50, 100, 0.4038, 0.5962],
    [1, 1000, 0.000177, 0.005644],
  ])('%d of %d has the Wilson interval [%d, %d]', (x, n, low, high) => {
    const [from, to] = wilson95(x, n);
    expect(from).toBeCloseTo(low, 4);
    expect(to).toBeCloseTo(high, 4);
  });

  it('counts the ends, with the median and the 90 % quantile of their times', () => {
    const promoted = Array.from({ length: 10 }, (_, i) => run({ atMs: (i + 1) * 1_000 }));
    const { ends, runs } = report([...promoted, ...times(10, rolledBack('errorRate', { atMs: 500 }))]);
    expect(runs).toBe(20);
    expect(ends.promoted).toMatchObject({ count: 10, share: 0.5, time: { median: 5_000, p90: 9_000 } });
    expect(ends['rolled-back']).toMatchObject({ count: 10, time: { median: 500, p90: 500 } });
    expect(ends.paused).toMatchObject({ count: 0, share: 0, time: null });
  });

  it('tells of each step how many came to it, how long it took and which check passed last', () => {
    const { steps } = report([
      run(),
      run({ steps: [first({ lastCheck: 'errorRate' }), bake] }),
      run(),
      rolledBack('accuracy'),
    ]);
    expect(steps).toEqual([
      {
        step: 0,
        reached: 4,
        passed: 3,
        time: { median: 50_000, p90: 50_000 },
        lastChecks: [
          { name: 'accuracy', share: 2 / 3 },
          { name: 'errorRate', share: 1 / 3 },
        ],
        waitedFor: [{ name: 'accuracy', share: 1 }],
      },
      expect.objectContaining({ step: 1, reached: 3, passed: 3, lastChecks: [] }),
    ]);
  });

  it('calls the check weakest that is waited for longest, not most often', () => {
    const quick = first({ durationMs: 1_000, lastCheck: 'errorRate' });
    const slow = first({ durationMs: 8_000, lastCheck: 'latency.p99' });
    const { weakestCheck } = report([run({ steps: [quick] }), run({ steps: [quick] }), run({ steps: [slow] })]);
    expect(weakestCheck).toEqual({ name: 'latency.p99', share: 0.8 });
  });

  it('tells how long a dead canary lived on', () => {
    const canary = { ...AS_GOOD_AS_STABLE, deadAfterMs: 10_000 };
    const runs = times(5, rolledBack('errorCeiling', { atMs: 10_400, canaryPredictions: 21 }));
    expect(report(runs, { canary }).sinceFault).toEqual({
      time: { median: 400, p90: 400 },
      canaryPredictions: { median: 21, p90: 21 },
    });
    expect(report(runs).sinceFault).toBeNull();
  });

  it('is empty, not wrong, when nothing was rehearsed', () => {
    expect(report([])).toMatchObject({ runs: 0, ends: { promoted: { share: 0, interval: [0, 1] } }, advice: [] });
  });

  it('says what was not taken as the file says it', () => {
    const spec = specOf({
      steps: [
        { shadow: { fraction: 0.5 } },
        { traffic_split: { blue: 0.5, green: 0.5 } },
        { pause: {} },
        { traffic_split: { blue: 0, green: 1 } },
      ],
      checks: { firstByte: {} },
    });
    expect(report([run()], { spec }).notes).toEqual([
      'pauses that wait for a person are taken as approved at once',
      'shadow steps are taken as passed at once',
      expect.stringMatching(/^not rehearsed: checks\.firstByte/),
    ]);
  });
});

describe('advice after a rehearsal', () => {
  it('is not given for a file that works', () => {
    expect(advised(times(100, run()))).toEqual([]);
  });

  it('names an atMost that comes too early, what is waited for, and what would do', () => {
    const [step, last] = specOf().steps;
    const spec = { ...specOf(), steps: [{ ...step!, atMostMs: 20_000 }, last!] } as ReturnType<typeof specOf>;
    const runs = [...times(70, paused), ...times(30, run())];
    expect(advised(runs, { spec })).toEqual(['at-most-too-short steps.0.atMost']);
    expect(report(runs, { spec }).advice[0]!.message).toMatch(
      /atMost of 20s in 70 % .* waits for accuracy .*(make it|raise)/,
    );
    // A canary that is worse is ended by it, as it should be.
    expect(advised(runs, { spec, canary: { ...AS_GOOD_AS_STABLE, errors: 0.04 } })).toEqual([]);
  });

  it('says where rollouts are stuck', () => {
    expect(advised([...times(5, stuck), ...times(5, run())])).toEqual(['undecided steps.0']);
    const near = { ...AS_GOOD_AS_STABLE, accuracy: -0.1 };
    expect(report([stuck], { canary: near }).advice[0]!.message).toMatch(
      /too near the limit .* an atMost .* would end it$/,
    );
    const silent = run({ end: 'undecided', steps: [first({ passed: false, waitedFor: 'no-labels' })] });
    expect(advised(times(5, silent))).toEqual(['no-labels checks.accuracy.labelsWithin']);
  });

  it('proposes a larger first share for little traffic', () => {
    const traffic = { ...requestOf().traffic, predictionsPerSecond: 5 };
    const spec = specOf({
      steps: [{ traffic_split: { blue: 0.9, green: 0.1 } }, { traffic_split: { blue: 0, green: 1 } }],
    });
    expect(advised(times(10, run()), { traffic, spec })).toEqual(['too-little-traffic steps.0.traffic_split']);
  });

  it('names a limit that cannot be shown with this traffic', () => {
    const spec = specOf({ checks: { errorRate: { maxIncrease: 0.0001 } } });
    expect(advised(times(5, stuck), { spec })).toContain('limit-too-tight checks.errorRate.maxIncrease');
  });

  it('names ceilings that stable itself breaks', () => {
    const checks = { errorRate: { maxIncrease: 0.05, max: 0.1 }, latency: { p99: { maxMs: 150 } } };
    const traffic = { ...requestOf().traffic, errorRate: 0.12 };
    expect(advised(times(10, rolledBack('errorCeiling')), { spec: specOf({ checks }), traffic })).toEqual([
      'ceiling-too-low checks.errorRate.max',
      'ceiling-too-low checks.latency.p99.maxMs',
      'good-canary-rolled-back checks',
    ]);
  });

  it('names a label horizon that is too short for the labels', () => {
    const traffic = { ...requestOf().traffic, labelsAfterMs: 10_000 };
    expect(advised(times(10, run()), { traffic })).toEqual(['labels-too-late checks.accuracy.labelsWithin']);
  });

  it('says that the file allows a canary that is worse', () => {
    const canary = { ...AS_GOOD_AS_STABLE, accuracy: -0.05 };
    expect(advised(times(10, run()), { canary })).toEqual(['worse-canary-promoted checks']);
    expect(advised(times(10, rolledBack('accuracy')), { canary })).toEqual([]);
  });
});
