import { useMemo } from 'preact/hooks';
import { Chart } from '../charts/chart.js';
import {
  checkChart,
  evidenceChart,
  type ChartView,
  markers as markersOf,
  trafficChart,
  windowCharts,
} from '../domain/charts.js';
import type { ModelWindow, RolloutRecord, VerdictSeries } from '../domain/records.js';
import { windowColumns } from '../domain/windows.js';

interface ChartsPanelProps {
  readonly record: RolloutRecord;
  readonly series: VerdictSeries | null;
  readonly windows: readonly ModelWindow[];
  readonly nowMs: number;
}

/** Before and after the rollout, so that its beginning and end are not at the edges. */
const MARGIN_MS = 5_000;
const MARGIN_SHARE = 0.04;

/** One time axis for everything that is known of a rollout. */
export function ChartsPanel({ record, series, windows, nowMs }: ChartsPanelProps) {
  const { startedAt, endedAt, decisions, stable, canary } = record;
  const toMs = endedAt ?? nowMs;
  const range = useMemo((): [number, number] => {
    const margin = Math.max(MARGIN_MS, (toMs - startedAt) * MARGIN_SHARE);
    return [startedAt - margin, toMs + margin];
  }, [startedAt, toMs]);
  const marks = useMemo(() => markersOf(decisions), [decisions]);
  const versions = useMemo(() => ({ stable: stable ?? 'stable', canary: canary ?? 'canary' }), [stable, canary]);
  const windowsEnd = Math.floor(nowMs / 10_000) * 10_000;
  const columns = useMemo(() => windowColumns(windows, versions, windowsEnd), [windows, versions, windowsEnd]);
  const traffic = useMemo(
    () => trafficChart(decisions, columns, versions, range),
    [decisions, columns, versions, range],
  );
  const checks = useMemo(() => checkCharts(series), [series]);
  const evidence = useMemo(() => (series && series.at.length > 0 ? evidenceChart(series) : null), [series]);
  const others = useMemo(() => windowCharts(columns, versions), [columns, versions]);
  const draw = (view: ChartView) => <Chart key={view.id} view={view} markers={marks} range={range} />;
  return (
    <div class="charts">
      {draw(traffic)}
      {evidence && draw(evidence)}
      {checks.gating.map(draw)}
      {columns.at.length > 0 && others.map(draw)}
      {checks.watching.length > 0 && (
        <details class="more-charts">
          <summary>Checks that a pass does not wait for ({checks.watching.length})</summary>
          {checks.watching.map(draw)}
        </details>
      )}
    </div>
  );
}

/** What has failed is shown among those that a pass waits for. */
function checkCharts(series: VerdictSeries | null): {
  readonly gating: readonly ChartView[];
  readonly watching: readonly ChartView[];
} {
  const gating: ChartView[] = [];
  const watching: ChartView[] = [];
  for (const check of series?.checks ?? []) {
    const view = checkChart(check, series!.at);
    (check.gating || check.result.includes('fail') ? gating : watching).push(view);
  }
  return { gating, watching };
}
