import { describe, expect, test } from 'vitest';
import { check, decision, emptySeries, T0, verdict, window } from '../../test/builders.js';
import { chartSummary, checkChart, evidenceChart, trafficChart, windowCharts } from './charts.js';
import type { VerdictSeries } from './records.js';
import { withVerdict } from './verdict-series.js';
import { mergeWindows, windowColumns, windowsFor } from './windows.js';

const plain = (text: string): string => text.replaceAll('\u202f', ' ').replaceAll('\u2212', '-');
const at = (seconds: number, more: Parameters<typeof verdict>[0] = {}) =>
  verdict({ asOf: T0 + seconds * 1000, ...more });
const told = (...verdicts: ReturnType<typeof verdict>[]): VerdictSeries => verdicts.reduce(withVerdict, emptySeries);
const seconds = (series: VerdictSeries): number[] => series.at.map((time) => (time - T0) / 1000);

describe('a series that goes on', () => {
  test('takes each newer verdict of its rollout, once', () => {
    const series = told(at(1), at(3), at(5));
    expect(seconds(series)).toEqual([1, 3, 5]);
    expect(withVerdict(series, at(5))).toBe(series);
    expect(withVerdict(series, at(4))).toBe(series);
    expect(withVerdict(series, at(9, { rollout: 'digits-2' }))).toBe(series);
  });

  test('keeps about one point a second, and every change of step or result', () => {
    expect(seconds(told(at(0), at(0.25), at(0.5), at(0.75), at(1), at(1.25)))).toEqual([0, 0.75, 1.25]);
    const fail = told(at(0), at(0.2), at(0.4, { result: 'fail' }), at(0.6, { result: 'fail', step: 1 }));
    expect(fail.result).toEqual(['continue', 'continue', 'fail', 'fail']);
  });

  test('gives checks that come later their place, with nothing before', () => {
    const series = told(at(1), at(3, { checks: [check('errorRate'), check('accuracy', { difference: -0.01 })] }));
    expect(series.checks.map((one) => [one.check, one.difference])).toEqual([
      ['errorRate', [0.002, 0.002]],
      ['accuracy', [null, -0.01]],
    ]);
    const gone = withVerdict(series, at(6, { checks: [] }));
    expect(gone.checks.map((one) => one.result)).toEqual([['continue', 'continue', null], [null, 'continue', null]]); // prettier-ignore
  });

  test('does not grow without end, and keeps its newest part whole', () => {
    let series = emptySeries;
    for (let i = 0; i < 5_000; i++) series = withVerdict(series, at(2 * i));
    expect(series.at.length).toBeLessThanOrEqual(1_201);
    expect(seconds(series).slice(-100)).toEqual(Array.from({ length: 100 }, (_, i) => 2 * (4_900 + i)));
    expect(series.at[0]).toBe(T0);
    for (const one of series.checks) expect(one.low).toHaveLength(series.at.length);
  });
});

describe('windows', () => {
  const versions = { stable: 'v1', canary: 'v2' };

  test('that are still filling are not shown, and a time without traffic is a gap', () => {
    const columns = windowColumns([window(0, { v1: 90, v2: 10 }), window(30_000, { v1: 80 }), window(40_000, { v1: 5 })], versions, 45_000); // prettier-ignore
    expect(columns.at).toEqual([5_000, 15_000, 35_000]);
    expect(columns.stable.map((figures) => figures?.routed ?? null)).toEqual([90, null, 80]);
    expect(columns.canary.map((figures) => figures?.routed ?? null)).toEqual([10, null, null]);
  });

  test('are read as finely and as far back as they are kept', () => {
    const HOUR = 3_600_000;
    const now = 1_000 * HOUR;
    expect(windowsFor(now - HOUR / 2, now, now)).toEqual({ resolution: '10s', fromMs: now - HOUR / 2 });
    expect(windowsFor(now - 5 * HOUR, now, now)).toEqual({ resolution: '1m', fromMs: now - 5 * HOUR });
    expect(windowsFor(now - 90 * HOUR, now, now)!.fromMs).toBe(now - 24 * HOUR + 60_000);
    expect(windowsFor(now - 90 * HOUR, now - 80 * HOUR, now)).toBeNull();
  });

  test('that are read again take the place of the same ones', () => {
    const merged = mergeWindows([window(0, { v1: 1 }), window(10_000, { v1: 1 })], [window(10_000, { v1: 7 })], 10_000);
    expect(merged).toEqual([window(10_000, { v1: 7 })]);
  });
});

describe('charts', () => {
  const versions = { stable: 'v1', canary: 'v2' };
  const columns = windowColumns([window(T0, { v1: 90, v2: 10 }), window(T0 + 10_000, { v1: 50, v2: 50 })], versions, T0 + 60_000); // prettier-ignore

  test('of the traffic step where it was decided, and show what came of it', () => {
    const decisions = [
      decision(1, 'started', { from: { v1: 1 }, to: { v1: 0.9, v2: 0.1 }, at: T0 - 1_000 }),
      decision(2, 'weight-changed', { from: { v1: 0.9, v2: 0.1 }, to: { v1: 0.5, v2: 0.5 }, at: T0 + 10_000 }),
    ];
    const chart = trafficChart(decisions, columns, versions, [T0 - 5_000, T0 + 20_000]);
    const [set, actual] = chart.lines.map(({ values }) => values);
    expect(chart.at.map((time) => (time - T0) / 1000)).toEqual([-5, -1, 5, 10, 15, 20]);
    expect(set).toEqual([0, 0.1, 0.1, 0.5, 0.5, 0.5]);
    expect(actual!.map((value) => value && Number(value.toFixed(2)))).toEqual([null, null, 0.1, 0.3, 0.5, null]);
    expect(plain(chart.readout(4))).toBe('set 50 %, actual 50 %');
  });

  test('of a check have the interval as a band, the limit, and say everything of a moment', () => {
    const series = told(at(1), at(3));
    const chart = checkChart(series.checks[0]!, series.at);
    expect(chart.lines.map(({ about, values }) => [about, values[1]])).toEqual([['edge', -0.004], ['edge', 0.008], ['difference', 0.002], ['limit', 0.01]]); // prettier-ignore
    expect(chart.band).toEqual([0, 1]);
    expect(plain(chart.readout(1))).toBe('+0.2 points (-0.4 to +0.8), limit +1.0 points, against it 0.14 to 1, for it 4.5 to 1'); // prettier-ignore
    expect(plain(chartSummary(chart))).toContain('Newest: +0.2 points');
  });

  test('are not pressed flat by the wide intervals of the beginning', () => {
    const wide = Array.from({ length: 3 }, (_, i) =>
      at(2 * i, { checks: [check('errorRate', { interval: [-0.9, 0.9] })] }),
    );
    const later = Array.from({ length: 12 }, (_, i) => at(10 + 2 * i));
    const series = told(...wide, ...later);
    const { scale } = checkChart(series.checks[0]!, series.at);
    expect(scale[0]).toBeGreaterThan(-0.01);
    expect(scale[1]).toBeLessThan(0.02);
    expect(scale[1]).toBeGreaterThan(0.01);
  });

  test('of a ceiling show the figure and the line that it must not cross', () => {
    const series = told(at(1, { checks: [check('errorCeiling', { stable: null, difference: null, interval: null, limit: 0.5 })] })); // prettier-ignore
    const chart = checkChart(series.checks[0]!, series.at);
    expect(chart.lines.map(({ about, values }) => [about, values[0]])).toEqual([['canary', 0.012], ['limit', 0.5]]); // prettier-ignore
    expect(plain(chart.readout(0))).toBe('canary 1.2 %, limit 50 %, against it 0.14 to 1, for it 4.5 to 1');
  });

  test('of the evidence have the line at which it is rolled back', () => {
    const chart = evidenceChart(told(at(1, { evidence: { lnE: 3, lnLimit: Math.log(100) } })));
    expect(chart.readout(0)).toBe('20 to 1, rolls back at 100 to 1');
    expect(chart.scale[1]).toBeGreaterThan(Math.log(100));
  });

  test('of the versions have latency, errors, traffic, and labels where there are any', () => {
    const charts = windowCharts(columns, versions);
    expect(charts.map(({ id }) => id)).toEqual(['latency', 'errors', 'throughput', 'label-coverage', 'label-delay']);
    expect(charts.map((chart) => plain(chart.readout(0)))).toEqual([
      'v1 10 ms / 20 ms / 30 ms, v2 10 ms / 20 ms / 30 ms',
      'v1 1 %, v2 1 %',
      'v1 9, v2 1',
      'v1 50 %, v2 50 %',
      'v1 1 s / 2 s, v2 1 s / 2 s',
    ]);
    const none = windowColumns([{ ...window(T0, { v1: 9 }), versions: { v1: { ...window(0, { v1: 9 }).versions['v1']!, labelled: 0 } } }], versions, T0 + 60_000); // prettier-ignore
    expect(windowCharts(none, versions).map(({ id }) => id)).toEqual(['latency', 'errors', 'throughput']);
  });
});
