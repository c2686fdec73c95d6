import type { IntervalPlot as Plot } from '../domain/check-rows.js';

/** The difference with its interval beside the limit; what is beyond the limit is hatched. The numbers stand beside it. */
export function IntervalPlot({ plot, result }: { readonly plot: Plot; readonly result: string }) {
  const at = (x: number): string => `${(x * 100).toFixed(2)}%`;
  const beyond =
    plot.beyond === 'right' ? { left: at(plot.limit), right: '0' } : { left: '0', right: at(1 - plot.limit) };
  return (
    <div class={`plot plot-${result}`} aria-hidden="true">
      <div class="plot-beyond" style={beyond} />
      {plot.zero !== null && <div class="plot-zero" style={{ left: at(plot.zero) }} />}
      <div class="plot-limit" style={{ left: at(plot.limit) }} />
      {plot.low !== null && plot.high !== null && (
        <div class="plot-interval" style={{ left: at(plot.low), right: at(1 - plot.high) }} />
      )}
      <div class="plot-at" style={{ left: at(plot.at) }} />
    </div>
  );
}
