import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { shownTheme } from '../app/theme.js';
import { chartSummary, type ChartView, type Marker } from '../domain/charts.js';
import { timeText } from '../domain/figures.js';
import { useStore } from '../live/store.js';
import { chartColors } from './chart-colors.js';
import { chartOptions } from './chart-options.js';

interface ChartProps {
  readonly view: ChartView;
  readonly markers: readonly Marker[];
  readonly range: readonly [fromMs: number, toMs: number];
  readonly height?: number;
}

const HEIGHT = 124;
/** On paper, twice as large and shown at half the size (print.css): two in a row of an A4 page. */
const PAPER = { width: 2 * 330, height: 2 * 80, scale: 1.6 } as const;

/** A chart over time. What stands at the cursor (or at the end) is told in words; the arrow keys move the cursor. */
export function Chart({ view, markers, range, height = HEIGHT }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef({ view, markers, range });
  const [cursor, setCursor] = useState<number | null>(null);
  const theme = useStore(shownTheme);
  shown.current = { view, markers, range };
  const shape = view.lines.map(({ label, about }) => `${about} ${label}`).join('|');

  // Before the next frame: a page that is printed waits for nothing later.
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const size = theme === 'print' ? PAPER : { width: element.clientWidth, height, scale: 1 };
    const made = new uPlot(
      chartOptions({
        get view() {
          return shown.current.view;
        },
        get markers() {
          return shown.current.markers;
        },
        get range() {
          return shown.current.range;
        },
        colors: chartColors(),
        ...size,
        onCursor: setCursor,
      }),
      dataOf(shown.current.view),
      element,
    );
    plot.current = made;
    const resizing = new ResizeObserver(
      () => theme !== 'print' && made.setSize({ width: element.clientWidth, height }),
    );
    resizing.observe(element);
    return () => {
      resizing.disconnect();
      plot.current = null;
      made.destroy();
    };
  }, [shape, height, theme]);

  useEffect(() => plot.current?.setData(dataOf(view)), [view, markers, range]);

  const last = lastKnown(view);
  const index = cursor ?? last;
  return (
    <figure class="chart">
      <figcaption>
        <span>
          <span class="chart-title">{view.title}</span> <span class="chart-caption">{view.caption}</span>
        </span>
        <span class="readout">
          {index !== null && view.at[index] !== undefined && (
            <>
              {cursor !== null && <span class="readout-time">{timeText(view.at[index], range[1])} </span>}
              {view.readout(index)}
            </>
          )}
        </span>
      </figcaption>
      <div
        ref={box}
        class="chart-canvas"
        role="img"
        tabIndex={0}
        aria-label={chartSummary(view)}
        onKeyDown={(event) => {
          const step = STEPS[event.key];
          if (step === undefined || !plot.current) return;
          event.preventDefault();
          moveCursor(plot.current, (cursor ?? last ?? 0) + step);
        }}
        onBlur={() => plot.current && placeCursor(plot.current, -10)}
      />
    </figure>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -10,
  PageDown: 10,
  Home: -Infinity,
  End: Infinity,
};

function moveCursor(plot: uPlot, index: number): void {
  const at = plot.data[0];
  const wanted = at[Math.max(0, Math.min(at.length - 1, index))];
  if (wanted !== undefined) placeCursor(plot, plot.valToPos(wanted, 'x'));
}

/** With what uPlot's types leave out: whether the other charts are told. */
type SetCursor = (at: { readonly left: number; readonly top: number }, fireHook: boolean, publish: boolean) => void;

/** In all charts, as with the mouse. Outside of the plot there is none. */
function placeCursor(plot: uPlot, left: number): void {
  (plot.setCursor as SetCursor)({ left, top: left < 0 ? left : 1 }, true, true);
}

const dataOf = ({ at, lines }: ChartView): uPlot.AlignedData => [
  at as number[],
  ...lines.map(({ values }) => values as (number | null)[]),
];

function lastKnown({ at, lines }: ChartView): number | null {
  for (let i = at.length - 1; i >= 0; i--) if (lines.some(({ values }) => values[i] != null)) return i;
  return null;
}
