import { RESOLUTION_LAYOUT } from './window-layout.js';
import {
  addFigures,
  emptyFigures,
  type ModelWindow,
  type Resolution,
  unpackWindow,
  type WindowFigures,
} from './window.js';

/** Adds up what the sources have of the same windows. */
export class WindowSum {
  private readonly byStart = new Map<number, Map<string, WindowFigures>>();

  add(startMs: number, packed: Buffer): void {
    const sums = this.byStart.get(startMs) ?? new Map<string, WindowFigures>();
    this.byStart.set(startMs, sums);
    for (const [version, figures] of unpackWindow(packed)) {
      const sum = sums.get(version) ?? emptyFigures();
      addFigures(sum, figures);
      sums.set(version, sum);
    }
  }

  windows(resolution: Resolution): readonly ModelWindow[] {
    const { windowMs } = RESOLUTION_LAYOUT[resolution];
    return [...this.byStart]
      .sort(([a], [b]) => a - b)
      .map(([startMs, versions]) => ({ startMs, durationMs: windowMs, versions }));
  }
}
