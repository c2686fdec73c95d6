import {
  type Decision,
  labelDelayQuantileMs,
  latencyQuantileMs,
  type ModelWindow,
  type RolloutState,
  type WindowFigures,
} from '@app/shared';
import type { RolloutJournal } from '../reading/rollout-journal.js';
import type { ModelView, VersionFigures, WindowView } from './schemas.js';

/** Keys of others' commands are nobody's business. */
export function modelView(state: RolloutState, journal: RolloutJournal): ModelView {
  return { state: { ...state, commands: [] }, verdict: journal.lastVerdict(state) };
}

/** As modelView, with the last decision only: a list may be long. */
export function listedView(state: RolloutState, journal: RolloutJournal): ModelView {
  const decisions: Decision[] = state.decisions.slice(-1);
  return modelView({ ...state, decisions }, journal);
}

export function windowView({ startMs, durationMs, versions }: ModelWindow): WindowView {
  const figures = [...versions].map(([version, f]) => [version, figuresView(f)] as const);
  return { startMs, durationMs, versions: Object.fromEntries(figures) };
}

function figuresView(figures: WindowFigures): VersionFigures {
  const { routed, errors, labelled, right } = figures;
  const quantile = (q: number): number | null => latencyQuantileMs(figures, q);
  return {
    routed,
    errors,
    labelled,
    right,
    latencyMs: { p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
    labelDelayMs: { p50: labelDelayQuantileMs(figures, 0.5), p95: labelDelayQuantileMs(figures, 0.95) },
  };
}
