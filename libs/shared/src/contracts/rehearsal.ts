import type { Problem } from '../result.js';
import type { RolloutSpec } from '../rollout-spec/rollout-spec.js';

/**
 * Between canaryctl and the program that rehearses rollouts: that reads a RehearsalRequest as JSON from its standard
 * input and writes a RehearsalLine as JSON a line. SIGINT or SIGTERM ends it early; what is known so far is reported.
 */
export type RehearsalLine =
  | ({ readonly kind: 'progress' } & RehearsalProgress)
  | { readonly kind: 'report'; readonly report: RehearsalReport }
  | { readonly kind: 'failed'; readonly message: string };

export interface RehearsalRequest {
  readonly spec: RolloutSpec;
  readonly traffic: RehearsedTraffic;
  /** What is wrong with the canary; nothing: it is as good as stable. */
  readonly canary: Degradation;
  /** So many rollouts, or as many as there is time for; the first of the two that is reached ends it. */
  readonly runs: number | null;
  readonly forMs: number | null;
  /** Rollouts at once. */
  readonly jobs: number;
  /** The same seed and number of runs give the same report. */
  readonly seed: number;
  /** A rollout that is not over by then is undecided. */
  readonly withinMs: number;
}

export interface RehearsedTraffic {
  readonly predictionsPerSecond: number;
  /** Share of stable's predictions that fail. */
  readonly errorRate: number;
  /** Quantiles of stable's latency, which is taken as lognormal. */
  readonly latency: { readonly p50Ms: number; readonly p99Ms: number };
  /** Share of stable's answers that are right. */
  readonly accuracy: number;
  /** Mean time from an answer to its label, exponential; and the share of answers that never get one. */
  readonly labelsAfterMs: number;
  readonly labelsMissing: number;
  /** Users who come back, with a heavy tail, and stay on their version; null: each prediction is another user's. */
  readonly users: number | null;
}

/** How the canary differs from stable. */
export interface Degradation {
  /** Added to its error rate. */
  readonly errors: number;
  /** Added to its accuracy. */
  readonly accuracy: number;
  /** Factor on its latencies. */
  readonly latencyRatio: number;
  /** From so long after the rollout began it fails everything at once; null: never. */
  readonly deadAfterMs: number | null;
}

export const AS_GOOD_AS_STABLE: Degradation = { errors: 0, accuracy: 0, latencyRatio: 1, deadAfterMs: null };

export interface RehearsalProgress {
  readonly runs: number;
  readonly elapsedMs: number;
  readonly ends: Readonly<Record<RehearsalEnd, number>>;
}

export const REHEARSAL_ENDS = ['promoted', 'rolled-back', 'paused', 'undecided'] as const;
/** `paused`: a step was inconclusive and waits for a person. `undecided`: not over within the time given. */
export type RehearsalEnd = (typeof REHEARSAL_ENDS)[number];

export interface RehearsalReport {
  readonly runs: number;
  readonly elapsedMs: number;
  readonly seed: number;
  /** Rollouts under way when it was stopped, which are not counted. */
  readonly abandoned: number;
  readonly ends: Readonly<Record<RehearsalEnd, Chance>>;
  /** Only with deadAfterMs: from then to the rollback, and the canary's predictions in between. */
  readonly sinceFault: { readonly time: Spread; readonly canaryPredictions: Spread } | null;
  /** What rolled back: a check, or `step-time-over`, and its share of the rollbacks; most frequent first. */
  readonly rolledBackBy: readonly Shared[];
  readonly steps: readonly RehearsedStep[];
  /** The check that steps waited for longest, as the last to pass, and its share of that time; null: none was waited for. */
  readonly weakestCheck: Shared | null;
  /** What to change; empty: nothing. Fields as in the file. */
  readonly advice: readonly Problem[];
  /** What was taken otherwise than the file says. */
  readonly notes: readonly string[];
}

export interface Chance {
  readonly count: number;
  readonly share: number;
  /** 95 % (Wilson). */
  readonly interval: readonly [number, number];
  /** Since the rollout began, ms; null: it never came to that. */
  readonly time: Spread | null;
}

export interface Spread {
  readonly median: number;
  /** Nine in ten are below. */
  readonly p90: number;
}

export interface Shared {
  readonly name: string;
  readonly share: number;
}

export interface RehearsedStep {
  /** Index into spec.steps. */
  readonly step: number;
  /** Rollouts that came to it, and that passed it. */
  readonly reached: number;
  readonly passed: number;
  /** From its beginning to its pass, ms; null: none passed. */
  readonly time: Spread | null;
  /** Checks that passed last, or had not passed when it ended, and their shares; most frequent first. */
  readonly lastChecks: readonly Shared[];
  /** What the pass waited for in the end: a check, or a code of a verdict's reason such as `min-duration`. */
  readonly waitedFor: readonly Shared[];
}
