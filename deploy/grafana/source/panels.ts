import { type Dashboard, type Panel, VariableHide, VariableRefresh, type VariableModel } from '@grafana/schema';

/** One query of a panel, with the legend of its series. */
export type Query = readonly [expr: string, legend: string];

interface PanelText {
  readonly title: string;
  readonly description: string;
  readonly unit?: string;
  readonly queries: readonly Query[];
  readonly width: number;
  readonly height?: number;
}

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' };
const COLUMNS = 24;
const HEIGHT = 8;

export type DraftPanel = Omit<Panel, 'gridPos' | 'id'> & { readonly width: number; readonly height: number };

function draft(
  type: string,
  { title, description, unit = 'short', queries, width, height = HEIGHT }: PanelText,
): DraftPanel {
  return {
    type,
    title,
    description,
    datasource: PROMETHEUS,
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: PROMETHEUS,
      expr,
      legendFormat,
      range: type === 'timeseries',
      instant: type !== 'timeseries',
      ...(type === 'table' ? { format: 'table' } : {}),
    })),
    transparent: false,
    repeatDirection: 'h',
    width,
    height,
  };
}

/** Lines over time; gaps stay gaps, so that silence is not drawn as health. */
export function timeseries(text: PanelText): DraftPanel {
  const panel = draft('timeseries', text);
  return {
    ...panel,
    fieldConfig: {
      defaults: { ...panel.fieldConfig!.defaults, custom: { lineWidth: 1, fillOpacity: 5, spanNulls: false } },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

export function stat(text: PanelText): DraftPanel {
  return {
    ...draft('stat', { height: 4, ...text }),
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      textMode: 'auto',
      colorMode: 'none',
      graphMode: 'none',
    },
  };
}

/** One row a label set, newest value. */
export function table(text: PanelText): DraftPanel {
  return {
    ...draft('table', text),
    options: { showHeader: true, cellHeight: 'sm' },
    transformations: [
      { id: 'organize', options: { excludeByName: { Time: true, instance: true, job: true, __name__: true } } },
    ],
  };
}

/** Lays panels out from left to right, a new line where one is full, and numbers them. */
function laidOut(drafts: readonly DraftPanel[]): Panel[] {
  let [x, y, lineHeight] = [0, 0, 0];
  return drafts.map(({ width, height, ...panel }, index) => {
    if (x + width > COLUMNS) {
      y += lineHeight;
      [x, lineHeight] = [0, 0];
    }
    const gridPos = { x, y, w: width, h: height };
    x += width;
    lineHeight = Math.max(lineHeight, height);
    return { ...panel, id: index + 1, gridPos };
  });
}

const DATASOURCE: VariableModel = {
  type: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  query: 'prometheus',
  hide: VariableHide.dontHide,
  refresh: VariableRefresh.onDashboardLoad,
  multi: false,
  includeAll: false,
  skipUrlSync: false,
};

/** A variable with the values that a label has. */
export function labelVariable(name: string, metric: string): VariableModel {
  const query = `label_values(${metric}, ${name})`;
  return {
    type: 'query',
    name,
    label: name,
    datasource: PROMETHEUS,
    query: { query, refId: name },
    definition: query,
    refresh: VariableRefresh.onTimeRangeChanged,
    hide: VariableHide.dontHide,
    multi: false,
    includeAll: false,
    skipUrlSync: false,
    sort: 1,
  } as VariableModel;
}

export interface DashboardText {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables?: readonly VariableModel[];
  readonly annotations?: readonly Query[];
  readonly panels: readonly DraftPanel[];
}

export function dashboard({
  uid,
  title,
  description,
  variables = [],
  annotations = [],
  panels,
}: DashboardText): Dashboard {
  return {
    uid,
    title,
    description,
    tags: ['model-canary'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    timezone: 'browser',
    time: { from: 'now-1h', to: 'now' },
    refresh: '10s',
    fiscalYearStartMonth: 0,
    liveNow: false,
    weekStart: '',
    links: [],
    templating: { list: [DATASOURCE, ...variables] },
    annotations: {
      list: annotations.map(([expr, titleFormat]) => ({
        name: titleFormat,
        datasource: PROMETHEUS,
        enable: true,
        iconColor: 'orange',
        hide: false,
        expr,
        titleFormat,
        step: '15s',
      })),
    },
    panels: laidOut(panels),
  };
}
