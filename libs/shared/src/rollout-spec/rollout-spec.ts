/**
 * A rollout file after it was read and its defaults filled in: what the controller stores, and what routers and
 * evaluators obey. Durations are milliseconds, weights are fractions with at most four decimals that sum to 1.
 * parse-rollout-spec.ts makes it from what a user writes.
 */
export interface RolloutSpec {
  readonly model: string;
  readonly stable: VersionSpec;
  /** Absent in a file that only registers a model: stable then gets all traffic. */
  readonly canary?: VersionSpec;
  /** Where the predicted class or number stands in an answer; without it there is no accuracy. */
  readonly prediction?: PredictionSpec;
  readonly warmup: { readonly predictions: number; readonly durationMs: number };
  readonly steps: readonly RolloutStep[];
  readonly checks: Checks;
  readonly onInconclusive: 'pause' | 'rollback';
  /** False-alarm bound of FAIL and of PASS, by design .01 and .05. */
  readonly alpha: number;
  readonly beta: number;
}

export interface VersionSpec {
  readonly version: string;
  /** Base URL of the model server, http or https, without query. */
  readonly url: string;
  /** A prediction that takes longer is a timeout. Default 10 s. */
  readonly deadlineMs: number;
  /** More predictions than that at once are refused as `overloaded`. Default 1024. */
  readonly maxConcurrency: number;
}

export interface PredictionSpec {
  /** JSON pointer into the answer's body, e.g. /outputs/0/data/0. */
  readonly pointer: string;
  readonly kind: 'class' | 'number';
  /** For numbers: right means |prediction - label| <= tolerance. */
  readonly tolerance: number;
}

export type RolloutStep = TrafficStep | PauseStep;

export interface TrafficStep {
  readonly kind: 'traffic';
  readonly weights: Weights;
  readonly atLeast: { readonly predictions: number; readonly durationMs: number };
  /** Without a pass by then the step is inconclusive; absent: no limit. */
  readonly atMostMs?: number;
}

export interface PauseStep {
  readonly kind: 'pause';
  /** Absent: until a person approves. */
  readonly durationMs?: number;
}

/** Fractions of the traffic by version. */
export type Weights = Readonly<Record<string, number>>;

/** What is watched. A check that is absent here was switched off in the file. */
export interface Checks {
  readonly errorRate?: ErrorRateCheck;
  readonly accuracy?: AccuracyCheck;
  readonly latency?: LatencyCheck;
  /** As latency, to the first byte; for streams. */
  readonly firstByte?: LatencyCheck;
}

export interface ErrorRateCheck {
  /** Absolute: the canary may have this much more (0.01 = 1 point). */
  readonly maxIncrease: number;
  /** The ceiling: an error rate above it fails the canary whatever control does. 4xx are not counted in it. */
  readonly max: number;
  readonly strict: boolean;
}

export interface AccuracyCheck {
  readonly maxDrop: number;
  /** The label horizon L. */
  readonly labelsWithinMs: number;
  readonly strict: boolean;
}

export interface LatencyCheck {
  /** Limits by quantile; by default p50 and p99 gate. */
  readonly p50?: QuantileLimit;
  readonly p95?: QuantileLimit;
  readonly p99?: QuantileLimit;
  readonly strict: boolean;
}

export interface QuantileLimit {
  readonly maxRatio?: number;
  /** A ceiling of its own that needs no control. */
  readonly maxMs?: number;
  /** Differences below this are never a failure. Default 5. */
  readonly minIncreaseMs: number;
}

export const QUANTILES = ['p50', 'p95', 'p99'] as const;
export type Quantile = (typeof QUANTILES)[number];
export const QUANTILE_VALUE: Readonly<Record<Quantile, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };
