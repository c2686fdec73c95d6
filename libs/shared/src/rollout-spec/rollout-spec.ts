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
  /** The checks of errors, latency and accuracy also watch inside each of these parts of the traffic. */
  readonly segments?: SegmentsSpec;
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

export type RolloutStep = ShadowStep | TrafficStep | PauseStep;

export interface TrafficStep {
  readonly kind: 'traffic';
  readonly weights: Weights;
  readonly atLeast: { readonly predictions: number; readonly durationMs: number };
  /** Without a pass by then the step is inconclusive; absent: no limit. */
  readonly atMostMs?: number;
}

/**
 * Before the first traffic step: stable answers everybody, and the canary gets copies whose answers are thrown away after
 * they were compared with stable's.
 */
export interface ShadowStep {
  readonly kind: 'shadow';
  /** Of the predictions, above 0 and at most 1, at most four decimals. */
  readonly fraction: number;
  /** `predictions`: copies that the canary answered. */
  readonly atLeast: { readonly predictions: number; readonly durationMs: number };
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
  /** Means of numbers of the user's own, by name; at most 8. */
  readonly custom?: Readonly<Record<string, CustomCheck>>;
  /** Whether the predictions themselves change: a reason to look, never to roll back. */
  readonly drift?: DriftCheck;
  /** Only in a rollout with a shadow step. */
  readonly shadow?: ShadowCheck;
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

/** What answers to copies are held to, answer against answer. Errors are held to those of checks.errorRate. */
export interface ShadowCheck {
  /** Least share of pairs in which both versions say the same; absent: it is shown, and nothing waits for it. */
  readonly minAgreement?: number;
  /** How much less often the canary may be right than stable, on the same predictions; absent: not compared. */
  readonly maxDrop?: number;
}

export interface SegmentsSpec {
  /** Lower case. Its value is the segment of a request. */
  readonly header: string;
  /** So many of the largest segments are watched, and the rest as one. */
  readonly top: number;
}

/** The mean of a number: of the canary's predictions against stable's of the same moment. */
export interface CustomCheck {
  readonly from: 'answer' | 'label';
  /** JSON pointer into the answer's body; of a label, the name in its `values`. */
  readonly source: string;
  /** Which way is worse. */
  readonly worse: 'higher' | 'lower';
  /** Absolute: the canary's mean may be worse by this much. Above 0. */
  readonly limit: number;
  /** The distance from the limit at which the check is sharpest; by default the limit. Above 0. */
  readonly minEffect: number;
}

export interface DriftCheck {
  /** How much the odds of a class (or of a score above a threshold) may change; .1: by a tenth. */
  readonly allowance: number;
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
