import type { ControlHistory } from './control-history.js';
import type { RolloutEvidence } from './rollout-evidence.js';
import type { BaseRateWindow } from './base-rate.js';

/** Control's base rate as a rollout begins with it; null while there are fewer than 500 events. */
type Rate = { readonly small: number; readonly large: number; readonly n: number } | null;

/** What a rollout starts from, stated in its first verdict. */
export interface Baseline {
  readonly errorsEarly: Rate;
  readonly errorsFinal: Rate;
  readonly wrong: Rate;
  /** By check, ms; null until control has had 2,000 events. */
  readonly latencyMs: Readonly<Record<string, number | null>>;
}

export function baselineOf(history: ControlHistory, evidence: RolloutEvidence): Baseline {
  const rate = (window: BaseRateWindow): Rate => window.current();
  const latencyMs = evidence.checks.quantiles.map(({ check, source, quantile }) => {
    const edgeMs = history.latencies(source).edgeMs(quantile);
    return [check, Number.isFinite(edgeMs) ? edgeMs : null] as const;
  });
  return {
    errorsEarly: rate(history.early),
    errorsFinal: rate(history.final),
    wrong: rate(history.wrong),
    latencyMs: Object.fromEntries(latencyMs),
  };
}
