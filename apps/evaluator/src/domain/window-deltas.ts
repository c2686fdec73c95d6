import {
  addFigures,
  emptyFigures,
  RESOLUTION_LAYOUT,
  type Resolution,
  RESOLUTIONS,
  type WindowFigures,
  type WindowId,
  windowStartMs,
} from '@app/shared';

/** Router clocks may run ahead; a window further in the future than this is nonsense and would never expire in time. */
const FUTURE_MS_MAX = 60_000;
const FINEST: Resolution = '10s';

/** What one batch adds to a window, by version. */
export interface WindowDelta {
  readonly id: WindowId;
  readonly versions: ReadonlyMap<string, WindowFigures>;
}

/**
 * Collects what one batch adds to the windows of its partition. It counts in the finest windows alone; the wider ones are
 * added up from them at the end.
 */
export class WindowDeltas {
  private readonly byModel = new Map<string, Map<string, Map<number, WindowFigures>>>();

  /** Figures of the window a time falls in, to be added to; null if nobody can look at it any more, or not yet. */
  at(model: string, version: string, timeMs: number, logTimeMs: number): WindowFigures | null {
    const startMs = windowStartMs(FINEST, timeMs);
    if (startMs > logTimeMs + FUTURE_MS_MAX || !kept('1m', startMs, logTimeMs)) return null;
    const starts = this.startsOf(model, version);
    let figures = starts.get(startMs);
    if (!figures) {
      figures = emptyFigures();
      starts.set(startMs, figures);
    }
    return figures;
  }

  /** Every model and version that was counted. */
  *versions(): Generator<{ readonly model: string; readonly version: string }> {
    for (const [model, versions] of this.byModel) for (const version of versions.keys()) yield { model, version };
  }

  /** What to add to which windows, all resolutions, those that are still kept at this log time. */
  take(logTimeMs: number): readonly WindowDelta[] {
    const deltas: WindowDelta[] = [];
    for (const resolution of RESOLUTIONS) {
      for (const [model, versions] of this.byModel) {
        const byStart = new Map<number, Map<string, WindowFigures>>();
        for (const [version, starts] of versions)
          for (const [fineStartMs, figures] of starts) {
            const startMs = windowStartMs(resolution, fineStartMs);
            if (!kept(resolution, startMs, logTimeMs)) continue;
            const sums = byStart.get(startMs) ?? new Map<string, WindowFigures>();
            byStart.set(startMs, sums);
            const sum = sums.get(version) ?? emptyFigures();
            sums.set(version, sum);
            addFigures(sum, figures);
          }
        for (const [startMs, sums] of byStart) deltas.push({ id: { resolution, startMs, model }, versions: sums });
      }
    }
    return deltas;
  }

  private startsOf(model: string, version: string): Map<number, WindowFigures> {
    let versions = this.byModel.get(model);
    if (!versions) {
      versions = new Map<string, Map<number, WindowFigures>>();
      this.byModel.set(model, versions);
    }
    let starts = versions.get(version);
    if (!starts) {
      starts = new Map<number, WindowFigures>();
      versions.set(version, starts);
    }
    return starts;
  }
}

function kept(resolution: Resolution, startMs: number, logTimeMs: number): boolean {
  const { windowMs, keptMs } = RESOLUTION_LAYOUT[resolution];
  return startMs + windowMs + keptMs > logTimeMs;
}
