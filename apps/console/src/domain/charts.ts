import { checkTitle, isAgreement, isCeiling } from '@app/words';
import { differenceText, evidenceText, intervalText, percentText, valueText, msText } from './figures.js';
import type { CheckSeries, Decision, VerdictSeries } from './records.js';
import { actionTone, actionWord } from './timeline.js';
import type { Tone } from './status.js';
import type { VersionFigures, WindowColumns } from './windows.js';

export type Values = readonly (number | null)[];

/** What a line is drawn like: a colour for whom it is about, a dash for what. */
export interface Line {
  readonly label: string;
  readonly about: 'stable' | 'canary' | 'limit' | 'difference' | 'edge';
  readonly dash: 'solid' | 'dashed' | 'dotted';
  readonly stepped: boolean;
  readonly values: Values;
}

export interface ChartView {
  readonly id: string;
  readonly title: string;
  /** What one should know to read it. */
  readonly caption: string;
  /** ms since the epoch, rising. */
  readonly at: readonly number[];
  readonly lines: readonly Line[];
  /** Indexes of the lines between which the band lies. */
  readonly band: readonly [low: number, high: number] | null;
  /** Values between which it is drawn. Intervals are wide while little is known: they may go beyond. */
  readonly scale: readonly [least: number, most: number];
  /** What the data said of it, moment by moment; drawn as a strip. */
  readonly results: readonly CheckSeries['result'][number][] | null;
  readonly axis: (value: number) => string;
  /** Where the axis is labelled; default: where it fits. */
  readonly ticks?: readonly number[];
  /** All that is known of one moment, in words. */
  readonly readout: (index: number) => string;
}

/** A decision on the time axis. */
export interface Marker {
  readonly at: number;
  readonly tone: Tone;
  readonly word: string;
}

export function markers(decisions: readonly Decision[]): readonly Marker[] {
  return decisions.map(({ at, action }) => ({ at, tone: actionTone(action), word: actionWord(action) }));
}

const line = (label: string, about: Line['about'], values: Values, more: Partial<Line> = {}): Line => ({
  label,
  about,
  dash: 'solid',
  stepped: false,
  values,
  ...more,
});

export interface Versions {
  readonly stable: string;
  readonly canary: string;
}

/** The canary's share as it was set, decision by decision, and as it came out in the windows. */
export function trafficChart(
  decisions: readonly Decision[],
  columns: WindowColumns,
  { canary }: Versions,
  range: readonly [fromMs: number, toMs: number],
): ChartView {
  const changes = decisions.map(({ at, from, to }) => ({ at, from: from[canary] ?? 0, to: to[canary] ?? 0 }));
  const times = new Set([...columns.at, ...changes.map(({ at }) => at), ...range]);
  const at = [...times].sort((a, b) => a - b);
  const setAt = (time: number): number => changes.findLast((change) => change.at <= time)?.to ?? changes[0]?.from ?? 0;
  const actual = new Map(columns.at.map((time, i) => [time, shareOf(columns.stable[i], columns.canary[i])]));
  const set = at.map(setAt);
  const came = at.map((time) => actual.get(time) ?? null);
  const spanning = bridged(came);
  return {
    id: 'traffic',
    title: `Traffic of ${canary}`,
    caption: 'as it is set, and as it came out (dashed)',
    at,
    lines: [line('set', 'canary', set, { stepped: true }), line('actual', 'stable', spanning, { dash: 'dashed' })],
    band: null,
    scale: [0, 1],
    results: null,
    axis: (value) => percentText(value, 0),
    readout: (i) =>
      `set ${percentText(set[i] ?? 0)}${spanning[i] == null ? '' : `, actual ${percentText(spanning[i], 1)}`}`,
  };
}

function shareOf(stable: VersionFigures | null | undefined, canary: VersionFigures | null | undefined): number | null {
  const n = (stable?.routed ?? 0) + (canary?.routed ?? 0);
  return n === 0 ? null : (canary?.routed ?? 0) / n;
}

/** Times of decisions lie between those of windows: values there are taken along the line, so that it is not broken. */
function bridged(values: Values): Values {
  const known = values.flatMap((value, i) => (value === null ? [] : [i]));
  return values.map((value, i) => {
    if (value !== null) return value;
    const [before, after] = [known.findLast((k) => k < i), known.find((k) => k > i)];
    if (before === undefined || after === undefined) return null;
    const [a, b] = [values[before]!, values[after]!];
    return a + ((b - a) * (i - before)) / (after - before);
  });
}

/** A check's difference as a band with its limit; of a ceiling the figure itself. */
export function checkChart(check: CheckSeries, at: readonly number[]): ChartView {
  const { unit, difference, low, high, limit, result } = check;
  const itself = isCeiling(check) || isAgreement(check);
  const limits = limit.map((value) => (value === 0 && unit === 'ms' ? null : value));
  const common = {
    id: `check-${check.check}-${check.segment ?? ''}`,
    title: itself ? checkTitle(check) : `${checkTitle(check)}, difference`,
    at,
    results: result,
    axis: (value: number) => (itself ? valueText(value, unit) : differenceText(value, unit).replace(/.points$/, '')),
    readout: (i: number) => checkReadout(check, i, itself),
  };
  if (itself)
    return {
      ...common,
      caption: 'the canary’s figure; dashed: the limit',
      lines: [line('canary', 'canary', check.canary), line('limit', 'limit', limits, { dash: 'dashed' })],
      scale: roomy([...check.canary, ...limits]),
      band: null,
    };
  return {
    ...common,
    caption: `canary minus stable${unit === 'fraction' ? ' in points' : ''}, 95 % interval; dashed: the limit`,
    lines: [
      line('low', 'edge', low),
      line('high', 'edge', high),
      line('difference', 'difference', difference),
      line('limit', 'limit', limits, { dash: 'dashed' }),
    ],
    scale: roomy([...difference, ...limits, ...middling([...low, ...high])]),
    band: [0, 1],
  };
}

/** From zero, with some room around, and never without extent. */
function roomy(values: Values): [number, number] {
  let [least, most] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const room = (most - least || 1) * 0.1;
  return [least < 0 ? least - room : 0, most > 0 || least === 0 ? most + room : 0];
}

/** The narrower two thirds of the ends of an interval: the first ones would press all later ones flat. */
function middling(ends: Values): Values {
  const known = ends.filter((end) => end !== null).sort((a, b) => Math.abs(a) - Math.abs(b));
  return known.slice(0, Math.ceil((known.length * 2) / 3));
}

function checkReadout(check: CheckSeries, i: number, itself: boolean): string {
  const { unit } = check;
  const [difference, low, high, limit] = [check.difference[i], check.low[i], check.high[i], check.limit[i]];
  const [fail, pass] = [check.fail[i], check.pass[i]];
  const parts: string[] = [];
  if (itself) parts.push(`canary ${valueText(check.canary[i], unit)}`);
  else {
    const interval = low == null || high == null ? '' : ` (${intervalText([low, high], unit)})`;
    parts.push(`${differenceText(difference ?? null, unit)}${interval}`);
  }
  if (limit != null) parts.push(`limit ${itself ? valueText(limit, unit) : differenceText(limit, unit)}`);
  if (fail != null) parts.push(`against it ${evidenceText(fail)}`);
  if (pass != null) parts.push(`for it ${evidenceText(pass)}`);
  return parts.join(', ');
}

/** Evidence over all checks, as a share of what rolls back: 1 is the line. */
export function evidenceChart({ at, lnE, lnLimit }: VerdictSeries): ChartView {
  return {
    id: 'evidence',
    title: 'Evidence against the canary',
    caption: 'over all checks, to 1; at the dashed line it is rolled back',
    at,
    lines: [
      line(
        'evidence',
        'difference',
        lnE.map((value) => Math.max(value, -2)),
      ),
      line('rolls back', 'limit', lnLimit, { dash: 'dashed' }),
    ],
    scale: [-2, Math.max(6, ...lnE.map((value) => Math.min(value, 14)), ...lnLimit) * 1.08],
    band: null,
    results: null,
    axis: (value) => evidenceText(value).replace(' to 1', ''),
    ticks: [1, 10, 100, 1_000, 100_000].map(Math.log),
    readout: (i) => `${evidenceText(lnE[i] ?? 0)}, rolls back at ${evidenceText(lnLimit[i] ?? 0)}`,
  };
}

type Figure = (figures: VersionFigures) => number | null;

function perVersion(
  columns: WindowColumns,
  versions: Versions,
  what: Pick<ChartView, 'id' | 'title' | 'caption' | 'axis'> & {
    readonly figures: readonly (readonly [string, Line['dash'], Figure])[];
  },
): ChartView {
  const { figures, ...chart } = what;
  const arms = [
    ['stable', versions.stable, columns.stable],
    ['canary', versions.canary, columns.canary],
  ] as const;
  const lines = arms.flatMap(([about, version, column]) =>
    figures.map(([label, dash, figure]) =>
      line(
        `${version} ${label}`.trim(),
        about,
        column.map((f) => (f ? figure(f) : null)),
        { dash },
      ),
    ),
  );
  const readout = (i: number): string =>
    arms
      .map(([about, version]) => {
        const values = lines.filter((one) => one.about === about).map((one) => one.values[i]);
        return values.every((value) => value == null)
          ? `${version} –`
          : `${version} ${values.map((value) => (value == null ? '–' : chart.axis(value))).join(' / ')}`;
      })
      .join(', ');
  const scale = roomy(lines.flatMap(({ values }) => values));
  return { ...chart, at: columns.at, lines, band: null, scale, results: null, readout };
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Latency, errors, traffic and labels of both versions. */
export function windowCharts(columns: WindowColumns, versions: Versions): readonly ChartView[] {
  const { durationMs } = columns;
  const charts = [
    perVersion(columns, versions, {
      id: 'latency',
      title: 'Latency of each version',
      caption: 'p50, p95 dashed, p99 dotted',
      axis: msText,
      figures: [
        ['p50', 'solid', (f) => f.latencyMs.p50],
        ['p95', 'dashed', (f) => f.latencyMs.p95],
        ['p99', 'dotted', (f) => f.latencyMs.p99],
      ],
    }),
    perVersion(columns, versions, {
      id: 'errors',
      title: 'Error rate of each version',
      caption: '4xx included',
      axis: (value) => percentText(value, 2),
      figures: [['', 'solid', (f) => ratio(f.errors, f.routed)]],
    }),
    perVersion(columns, versions, {
      id: 'throughput',
      title: 'Predictions per second',
      caption: 'by when they were routed',
      axis: (value) => String(Number(value.toPrecision(3))),
      figures: [['', 'solid', (f) => (f.routed * 1000) / durationMs]],
    }),
    perVersion(columns, versions, {
      id: 'label-coverage',
      title: 'Predictions with a label',
      caption: 'labels of the newest are still to come',
      axis: (value) => percentText(value, 0),
      figures: [['', 'solid', (f) => ratio(f.labelled, f.routed)]],
    }),
    perVersion(columns, versions, {
      id: 'label-delay',
      title: 'Delay of labels',
      caption: 'after the prediction: p50, p95 dashed',
      axis: msText,
      figures: [
        ['p50', 'solid', (f) => f.labelDelayMs.p50],
        ['p95', 'dashed', (f) => f.labelDelayMs.p95],
      ],
    }),
  ];
  const hasLabels = [...columns.stable, ...columns.canary].some((figures) => figures !== null && figures.labelled > 0);
  return hasLabels ? charts : charts.filter(({ id }) => !id.startsWith('label-'));
}

/** One line for who does not see the picture: where it begins, where it ends. */
export function chartSummary({ title, at, readout, lines }: ChartView): string {
  const known = at.flatMap((_, i) => (lines.some((one) => one.values[i] != null) ? [i] : []));
  if (known.length === 0) return `${title}: nothing is known yet.`;
  return `${title}. First: ${readout(known[0]!)}. Newest: ${readout(known.at(-1)!)}.`;
}
