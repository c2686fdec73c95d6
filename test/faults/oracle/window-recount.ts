import type { Outcome } from '@app/shared';
import type { Differences } from './differences.js';
import type { JudgedLabel } from './label-recount.js';
import { isBad } from './outcome-recount.js';

const WINDOW_MS = 10_000;
/** A router's clock may be ahead by so much. */
const AHEAD_MS_MAX = 60_000;

export interface WindowFigures {
  routed: number;
  errors: number;
  labelled: number;
  right: number;
}

/** A window as the API shows it. */
export interface ShownWindow {
  readonly startMs: number;
  readonly versions: Readonly<Record<string, WindowFigures>>;
}

/** What stands in Redis, as far as anybody outside of the services may look. */
export interface RedisSide {
  /** Windows of 10 s by model. */
  readonly windows: ReadonlyMap<string, readonly ShownWindow[]>;
  /** Positions of the slots by name, e.g. `outcome-3`. */
  readonly positions: ReadonlyMap<string, number>;
  /** When Redis lost what it had; a router's clock may have been wrong by as much as `clockErrorMs`. */
  readonly losses: readonly number[];
  readonly clockErrorMs: number;
}

/** Counts the windows that people look at again. */
export class WindowRecount {
  private readonly byKey = new Map<string, WindowFigures>();

  addOutcome(outcome: Outcome, logTimeMs: number): void {
    const figures = this.at(outcome.model, outcome.version, outcome.routedAt, logTimeMs);
    if (!figures) return;
    figures.routed++;
    if (isBad(outcome)) figures.errors++;
  }

  addLabel({ model, version, routedAt, right }: JudgedLabel, logTimeMs: number): void {
    const figures = this.at(model, version, routedAt, logTimeMs);
    if (!figures) return;
    figures.labelled++;
    if (right) figures.right++;
  }

  /** Exact where Redis has lost nothing since, and never more than there was. */
  check({ windows, losses, clockErrorMs }: RedisSide, differences: Differences): void {
    const exactFromMs = Math.max(0, ...losses) + (losses.length > 0 ? clockErrorMs : 0);
    const shown = new Map<string, WindowFigures>();
    for (const [model, list] of windows)
      for (const { startMs, versions } of list)
        for (const [version, figures] of Object.entries(versions)) shown.set(keyOf(model, version, startMs), figures);
    for (const key of new Set([...this.byKey.keys(), ...shown.keys()])) {
      const [model, version, start] = JSON.parse(key) as [string, string, number];
      if (!windows.has(model)) continue;
      const counted = this.byKey.get(key) ?? noFigures();
      const found = shown.get(key) ?? noFigures();
      const where = `${model} ${version}, window ${start}`;
      const text = `counted ${JSON.stringify(counted)}, shown ${JSON.stringify(pick(found))}`;
      const tooMuch =
        found.routed > counted.routed || found.labelled > counted.labelled || found.errors > counted.errors;
      if (tooMuch) differences.add('window-too-much', where, text);
      else if (start >= exactFromMs && JSON.stringify(counted) !== JSON.stringify(pick(found)))
        differences.add('window', where, text);
    }
  }

  private at(model: string, version: string, timeMs: number, logTimeMs: number): WindowFigures | null {
    const startMs = Math.floor(timeMs / WINDOW_MS) * WINDOW_MS;
    if (startMs > logTimeMs + AHEAD_MS_MAX) return null;
    const key = keyOf(model, version, startMs);
    const figures = this.byKey.get(key) ?? noFigures();
    this.byKey.set(key, figures);
    return figures;
  }
}

const noFigures = (): WindowFigures => ({ routed: 0, errors: 0, labelled: 0, right: 0 });
const pick = ({ routed, errors, labelled, right }: WindowFigures): WindowFigures => ({
  routed,
  errors,
  labelled,
  right,
});
const keyOf = (model: string, version: string, startMs: number): string => JSON.stringify([model, version, startMs]);
