import {
  type LatencyCheck,
  type Quantile,
  QUANTILE_VALUE,
  QUANTILES,
  type RolloutSpec,
  type TrafficStep,
} from './rollout-spec.js';

/** What the traffic is like, as far as the time to a pass depends on it. */
export interface TrafficKind {
  readonly errorRate: number;
  readonly accuracy: number;
  /** Of latencies, taken as lognormal. */
  readonly latencySigma: number;
  /** Median latency; absent: so long that minIncreaseMs plays no part. */
  readonly latencyP50Ms?: number;
}

/**
 * What traffic is taken to look like: that of the simulation behind the published figures (2 % errors, 90 % accuracy,
 * latencies lognormal with sigma .5). Fewer errors or more accuracy make it quicker.
 */
export const ASSUMED_TRAFFIC: TrafficKind = { errorRate: 0.02, accuracy: 0.9, latencySigma: 0.5 };

/** What a traffic step waits for longest, and until when. */
export interface StepWait {
  readonly durationMs: number;
  readonly waitsFor: 'evidence' | 'labels' | 'predictions' | 'minimum';
  /** The check that needs the most predictions, if evidence or labels are waited for. */
  readonly check?: string;
}

/** What the time of a step rests on. */
export interface StepSetting {
  readonly spec: RolloutSpec;
  readonly step: TrafficStep;
  readonly predictionsPerSecond: number;
  /** Accuracy counts since the rollout began, so only the first step waits for it. */
  readonly isFirst: boolean;
  readonly traffic: TrafficKind;
}

/**
 * A pass is waited for until ln E reaches ln(1/beta); this much more goes to the mixture over the grid, and the last
 * factor to the slowest of several checks and to repeating users. Both are fitted: the simulated rollouts of 50, 500
 * and 5,000 predictions/s (25, 5.4 and 4 minutes) and of 5/s (4.6 hours) come out within 15 %.
 */
const MIXTURE_COST = 0.7;
const SLOWEST_OF_SEVERAL = 2.2;

/** Null: the canary gets no predictions. */
export function estimateStep(setting: StepSetting): StepWait | null {
  const { spec, step, predictionsPerSecond } = setting;
  const { predictions, durationMs } = step.atLeast;
  const share = canaryShare(spec, step);
  const canaryPerMs = (share * predictionsPerSecond) / 1000;
  if (!(canaryPerMs > 0)) return null;
  const waits: StepWait[] = [{ durationMs, waitsFor: 'minimum' }];
  if (share < 1) {
    const warmupMs = Math.max(spec.warmup.durationMs, spec.warmup.predictions / canaryPerMs);
    waits.push({ durationMs: warmupMs + predictions / canaryPerMs, waitsFor: 'predictions' });
    for (const { check, predictions: needed, labelsMs } of needsOf(setting))
      waits.push({
        durationMs: warmupMs + (needed * 1000) / predictionsPerSecond + labelsMs,
        waitsFor: labelsMs > 0 ? 'labels' : 'evidence',
        check,
      });
  }
  return waits.reduce((longest, wait) => (wait.durationMs > longest.durationMs ? wait : longest));
}

export function canaryShare(spec: RolloutSpec, step: TrafficStep): number {
  return step.weights[spec.canary!.version]!;
}

/** What one check needs before it can pass. */
export interface Need {
  readonly check: string;
  /** Where its limit stands in the file, and the limit. */
  readonly field: string;
  readonly limit: number;
  /** Of both arms together. */
  readonly predictions: number;
  /** Labels are complete so long after their predictions. */
  readonly labelsMs: number;
}

/** What each check of a step with two versions needs, if the canary is no worse. */
export function needsOf({ spec, step, isFirst, traffic }: Omit<StepSetting, 'predictionsPerSecond'>): Need[] {
  const { errorRate, accuracy, latency, firstByte } = spec.checks;
  const share = canaryShare(spec, step);
  const evidence = (Math.log(1 / spec.beta) + MIXTURE_COST) * SLOWEST_OF_SEVERAL;
  const needs: Need[] = [];
  if (errorRate) {
    const limit = errorRate.maxIncrease;
    const predictions = evidence / growthOfRate(traffic.errorRate, limit, share);
    needs.push({ check: 'errorRate', field: 'checks.errorRate.maxIncrease', limit, predictions, labelsMs: 0 });
  }
  if (accuracy && isFirst) {
    const limit = accuracy.maxDrop;
    const predictions = evidence / growthOfRate(1 - traffic.accuracy, limit, share);
    const strataMs = Math.max(1000, accuracy.labelsWithinMs / 200);
    const labelsMs = accuracy.labelsWithinMs + strataMs;
    needs.push({ check: 'accuracy', field: 'checks.accuracy.maxDrop', limit, predictions, labelsMs });
  }
  for (const [source, check] of Object.entries({ latency, firstByte }))
    for (const quantile of QUANTILES) {
      const limit = check?.[quantile]?.maxRatio;
      if (limit === undefined) continue;
      const predictions = evidence / growthOfLatency(allowedRatio(check!, quantile, traffic), quantile, traffic, share);
      const field = `checks.${source}.${quantile}.maxRatio`;
      needs.push({ check: `${source}.${quantile}`, field, limit, predictions, labelsMs: 0 });
    }
  return needs;
}

/**
 * The least limit with which a check needs at most so many predictions of both arms, two digits; null: none does, or
 * the limit is that wide already.
 */
export function limitFor(
  check: string,
  predictions: number,
  setting: Omit<StepSetting, 'predictionsPerSecond'>,
): number | null {
  const needed = (limit: number): number =>
    needsOf({ ...setting, spec: withLimit(setting.spec, check, limit) }).find((need) => need.check === check)!
      .predictions;
  const isRatio = check.includes('.');
  const toLimit = (excess: number): number => (isRatio ? 1 + excess : excess);
  let [low, high] = [0, isRatio ? 9 : 0.5];
  if (needed(toLimit(high)) > predictions) return null;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (needed(toLimit(middle)) > predictions) low = middle;
    else high = middle;
  }
  const unit = 10 ** (Math.floor(Math.log10(high)) - 1);
  return Number(toLimit(Math.ceil(high / unit) * unit).toPrecision(6));
}

function withLimit(spec: RolloutSpec, check: string, limit: number): RolloutSpec {
  const { checks } = spec;
  if (check === 'errorRate')
    return { ...spec, checks: { ...checks, errorRate: { ...checks.errorRate!, maxIncrease: limit } } };
  if (check === 'accuracy')
    return { ...spec, checks: { ...checks, accuracy: { ...checks.accuracy!, maxDrop: limit } } };
  const [source, quantile] = check.split('.') as ['latency' | 'firstByte', Quantile];
  const before = checks[source]!;
  const changed = { ...before, [quantile]: { ...before[quantile]!, maxRatio: limit } };
  return { ...spec, checks: { ...checks, [source]: changed } };
}

/** Rates are not thought below this: where nothing is bad on either side the floor decides. */
const RATE_LEAST = 1e-4;

/**
 * Growth of ln E for PASS per prediction, of a canary that is no worse: the variance of the hypergeometric count times
 * (ln o_b)^2 / 2, with o_b the odds ratio that the limit allows; or that of the floor, where that grows faster.
 */
function growthOfRate(rate: number, limit: number, share: number): number {
  const p = Math.min(0.5, Math.max(RATE_LEAST, rate));
  const limitRate = Math.min(p + limit, 0.999);
  const kernel = (share * (1 - share) * (p * (1 - p) * (logit(limitRate) - logit(p)) ** 2)) / 2;
  return Math.max(kernel, share * floorGrowth(rate, limit));
}

/** Growth of the floor's best alternative, "at most c times the limit", per canary prediction. */
function floorGrowth(rate: number, limit: number): number {
  const alternatives = rate === 0 ? [0] : [0.1, 0.25, 0.5];
  const growth = (c: number): number =>
    (c === 0 ? 0 : rate * Math.log(c)) + (1 - rate) * (Math.log1p(-c * limit) - Math.log1p(-limit));
  return Math.max(0, ...alternatives.map(growth));
}

/** The ratio a quantile may really have: a difference below minIncreaseMs is never a failure. */
function allowedRatio(check: LatencyCheck, quantile: Quantile, { latencyP50Ms, latencySigma }: TrafficKind): number {
  const { maxRatio = 1, minIncreaseMs } = check[quantile]!;
  if (latencyP50Ms === undefined) return maxRatio;
  const stableMs = latencyP50Ms * Math.exp(latencySigma * NORMAL_QUANTILE[quantile]);
  return Math.max(maxRatio, 1 + minIncreaseMs / stableMs);
}

/** As growthOfRate for "slower than": a canary no slower passes the raised threshold less often than control its own. */
function growthOfLatency(ratio: number, quantile: Quantile, { latencySigma }: TrafficKind, share: number): number {
  const slow = 1 - QUANTILE_VALUE[quantile];
  const canarySlow = upperTail(NORMAL_QUANTILE[quantile] + Math.log(ratio) / latencySigma);
  const mean = share * canarySlow + (1 - share) * slow;
  return (share * (1 - share) * (mean * (1 - mean) * (logit(slow) - logit(canarySlow)) ** 2)) / 2;
}

const NORMAL_QUANTILE = { p50: 0, p95: 1.644854, p99: 2.326348 } as const;
const logit = (p: number): number => Math.log(p / (1 - p));

/** P(Z > z) for z >= 0, Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.max(1e-12, (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series);
}
