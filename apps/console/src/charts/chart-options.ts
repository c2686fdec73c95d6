import uPlot from 'uplot';
import type { ChartView, Line, Marker } from '../domain/charts.js';
import type { ChartColors } from './chart-colors.js';

/** Charts with this key have one cursor. */
const CURSOR = 'rollout';
const DASHES: Readonly<Record<Line['dash'], number[]>> = { solid: [], dashed: [6, 4], dotted: [2, 3] };
const FAMILY = '"Inter Variable", system-ui, sans-serif';
const AXIS = { width: 64, height: 26, font: 12 } as const;
const STRIP_HEIGHTS = { pass: 4, fail: 8, continue: 2 } as const;

export interface ChartOptions {
  readonly view: ChartView;
  readonly markers: readonly Marker[];
  readonly range: readonly [fromMs: number, toMs: number];
  readonly colors: ChartColors;
  readonly width: number;
  readonly height: number;
  /** Everything drawn so many times as large: paper shows more than a screen. */
  readonly scale: number;
  readonly onCursor: (index: number | null) => void;
}

/** uPlot's options of a chart; what grows (view, markers, range) is read from `options` whenever it is drawn. All charts of a page share the time axis and the cursor. */
export function chartOptions(options: ChartOptions): uPlot.Options {
  const { view, colors, width, height, scale, onCursor } = options;
  const font = `${AXIS.font * scale}px ${FAMILY}`;
  return {
    width,
    height,
    ms: 1,
    legend: { show: false },
    cursor: {
      sync: { key: CURSOR, setSeries: false },
      drag: { x: false, y: false },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: { time: true, range: () => [options.range[0], options.range[1]] },
      y: { range: () => [options.view.scale[0], options.view.scale[1]] },
    },
    axes: [
      { stroke: colors.text, font, grid: { stroke: colors.grid, width: scale }, ticks: { show: false }, size: AXIS.height * scale, space: 80 * scale, values: timeLabels }, // prettier-ignore
      {
        stroke: colors.text,
        font,
        grid: { stroke: colors.grid, width: scale },
        ticks: { show: false },
        size: AXIS.width * scale,
        space: 28 * scale,
        values: (_, values) => values.map((value) => view.axis(value)),
        ...(view.ticks
          ? { splits: (_, __, least, most) => view.ticks!.filter((tick) => tick >= least && tick <= most) }
          : {}),
      },
    ],
    series: [{}, ...view.lines.map((line) => series(line, options))],
    bands: view.band ? [{ series: [view.band[1] + 1, view.band[0] + 1], fill: colors.band }] : [],
    hooks: {
      drawClear: [(plot) => drawStrip(plot, options)],
      draw: [(plot) => drawMarkers(plot, options)],
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)],
    },
  };
}

function series(line: Line, { colors, scale }: ChartOptions): uPlot.Series {
  const { about, dash, stepped } = line;
  const edge = about === 'edge';
  return {
    label: line.label,
    stroke: edge ? 'transparent' : colors[about],
    width: edge ? 0 : (about === 'limit' ? 1.25 : 1.75) * scale,
    dash: DASHES[dash].map((length) => length * scale),
    spanGaps: false,
    points: { show: false },
    ...(stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
  };
}

/** What the data said, moment by moment: thin while undecided, thick where beyond the limit. */
function drawStrip(plot: uPlot, { view, colors, scale }: ChartOptions): void {
  const { results, at } = view;
  if (!results) return;
  const pixel = devicePixelRatio * scale;
  const { ctx, bbox } = plot;
  ctx.save();
  for (let from = 0, to = 0; from < at.length; from = to) {
    while (to < at.length && results[to] === results[from]) to++;
    const result = results[from];
    if (!result || result === 'no-data') continue;
    const left = plot.valToPos(at[from]!, 'x', true);
    const right = plot.valToPos(at[Math.min(to, at.length - 1)]!, 'x', true);
    const height = STRIP_HEIGHTS[result] * pixel;
    ctx.fillStyle = result === 'pass' ? colors.good : result === 'fail' ? colors.bad : colors.grid;
    ctx.fillRect(left, bbox.top - height, Math.max(2 * pixel, right - left), height);
  }
  ctx.restore();
}

/** A line for each decision; its word stands in the chart of the traffic. */
function drawMarkers(plot: uPlot, { markers, view, colors, scale }: ChartOptions): void {
  const pixel = devicePixelRatio * scale;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = pixel;
  ctx.font = `600 ${11 * pixel}px ${FAMILY}`;
  // uPlot leaves what its axes needed.
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  let freeFrom = -Infinity;
  for (const { at, tone, word } of markers) {
    const x = Math.round(plot.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = ctx.fillStyle = colors[tone];
    ctx.setLineDash([2 * pixel, 2 * pixel]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (view.id !== 'traffic') continue;
    const width = ctx.measureText(word).width;
    const left = Math.min(x, bbox.left + bbox.width - width);
    if (left < freeFrom) continue;
    ctx.fillText(word, left, bbox.top - 4 * pixel);
    freeFrom = left + width + 8 * pixel;
  }
  ctx.restore();
}

const two = (n: number): string => String(n).padStart(2, '0');

/** Times by the clock; the day where a new one begins. */
function timeLabels(_: uPlot, splits: number[], _axis: number, _space: number, incr: number): string[] {
  let day = '';
  return splits.map((split) => {
    const at = new Date(split);
    const date = `${at.getMonth() + 1}-${two(at.getDate())}`;
    const time = `${two(at.getHours())}:${two(at.getMinutes())}${incr < 60_000 ? `:${two(at.getSeconds())}` : ''}`;
    const label = day !== '' && day !== date ? `${date} ${time}` : time;
    day = date;
    return label;
  });
}
