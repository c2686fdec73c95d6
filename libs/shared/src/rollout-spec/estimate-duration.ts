import type { Problem } from '../result.js';
import { roughDuration } from './duration.js';
import { estimateShadow } from './estimate-shadow.js';
import { type LatencyCheck, QUANTILE_VALUE, QUANTILES, type RolloutSpec, type TrafficStep } from './rollout-spec.js';

export interface DurationEstimate {
  readonly predictionsPerSecond: number;
  /** All steps together, without the time a person takes; null: some step does not end at this traffic. */
  readonly totalMs: number | null;
  /** Some step waits until a person approves. */
  readonly waitsForPerson: boolean;
  readonly steps: readonly StepEstimate[];
  readonly warnings: readonly Problem[];
}

export interface StepEstimate {
  /** Index into spec.steps. */
  readonly step: number;
  /** Null: a person, or traffic that is not there. */
  readonly durationMs: number | null;
  /** What it waits for longest. */
  readonly waitsFor: 'evidence' | 'labels' | 'predictions' | 'minimum' | 'pause' | 'person' | 'traffic';
  /** The check that needs the most predictions, if evidence or labels are waited for. */
  readonly check?: string;
}

/**
 * What traffic is taken to look like: that of the simulation behind the published figures (2 % errors, 90 % accuracy,
 * latencies lognormal with sigma .5). Fewer errors or more accuracy make it quicker.
 */
export const ASSUMED_TRAFFIC = { errorRate: 0.02, accuracy: 0.9, latencySigma: 0.5 } as const;

/**
 * A pass is waited for until ln E reaches ln(1/beta); this much more goes to the mixture over the grid, and the last
 * factor to the slowest of several checks and to repeating users. Both are fitted: the simulated rollouts of 50, 500
 * and 5,000 predictions/s (25, 5.4 and 4 minutes) and of 5/s (4.6 hours) come out within 15 %.
 */
const MIXTURE_COST = 0.7;
const SLOWEST_OF_SEVERAL = 2.2;

/** Below this, and with a first share below a quarter, a larger first step is proposed. */
const LITTLE_TRAFFIC_PER_SECOND = 50;
const LARGER_FIRST_SHARE = 0.25;

/**
 * How long a rollout of a good canary will take, step by step, at so many predictions per second of the whole model:
 * per step the larger of its minimum duration and of warm-up plus what the slowest check needs. Warnings, with fields
 * as in the file: `no-traffic`, `not-reachable` (a step's atMost comes first), `too-little-traffic`.
 */
export function estimateDuration(spec: RolloutSpec, predictionsPerSecond: number): DurationEstimate {
  const first = spec.steps.findIndex((step) => step.kind === 'traffic');
  const steps = spec.steps.map((step, index): StepEstimate => {
    if (step.kind === 'traffic')
      return { step: index, ...estimateStep(spec, step, predictionsPerSecond, index === first) };
    if (step.kind === 'shadow')
      return { step: index, ...estimateShadow(spec, step, predictionsPerSecond, ASSUMED_TRAFFIC) };
    if (step.durationMs === undefined) return { step: index, durationMs: null, waitsFor: 'person' };
    return { step: index, durationMs: step.durationMs, waitsFor: 'pause' };
  });
  const counted = steps.filter((step) => step.waitsFor !== 'person');
  const unending = counted.some((step) => step.durationMs === null);
  return {
    predictionsPerSecond,
    totalMs: unending ? null : counted.reduce((sum, step) => sum + step.durationMs!, 0),
    waitsForPerson: counted.length < steps.length,
    steps,
    warnings: warningsOf(spec, predictionsPerSecond, steps),
  };
}

type Wait = Omit<StepEstimate, 'step'> & { readonly durationMs: number };

function estimateStep(
  spec: RolloutSpec,
  step: TrafficStep,
  predictionsPerSecond: number,
  isFirst: boolean,
): Omit<StepEstimate, 'step'> {
  const { predictions, durationMs } = step.atLeast;
  const share = step.weights[spec.canary!.version]!;
  const canaryPerMs = (share * predictionsPerSecond) / 1000;
  if (!(canaryPerMs > 0)) return { durationMs: null, waitsFor: 'traffic' };
  const waits: Wait[] = [{ durationMs, waitsFor: 'minimum' }];
  if (share === 1) waits.push({ durationMs: predictions / canaryPerMs, waitsFor: 'predictions' });
  else {
    const warmupMs = Math.max(spec.warmup.durationMs, spec.warmup.predictions / canaryPerMs);
    waits.push({ durationMs: warmupMs + predictions / canaryPerMs, waitsFor: 'predictions' });
    for (const need of needsOf(spec, share, isFirst))
      waits.push({
        durationMs: warmupMs + (need.predictions * 1000) / predictionsPerSecond + need.labelsMs,
        waitsFor: need.labelsMs > 0 ? 'labels' : 'evidence',
        check: need.check,
      });
  }
  return waits.reduce((longest, wait) => (wait.durationMs > longest.durationMs ? wait : longest));
}

interface Need {
  readonly check: string;
  /** Of both arms together. */
  readonly predictions: number;
  /** Labels are complete so long after their predictions. */
  readonly labelsMs: number;
}

/** What each check needs before it can pass. Accuracy counts since the rollout began, so only the first step waits for it. */
function needsOf(spec: RolloutSpec, share: number, isFirst: boolean): Need[] {
  const { errorRate, accuracy, latency, firstByte } = spec.checks;
  const evidence = (Math.log(1 / spec.beta) + MIXTURE_COST) * SLOWEST_OF_SEVERAL;
  const split = share * (1 - share);
  const needs: Need[] = [];
  if (errorRate) {
    const growth = split * growthOfRate(ASSUMED_TRAFFIC.errorRate, errorRate.maxIncrease);
    needs.push({ check: 'errorRate', predictions: evidence / growth, labelsMs: 0 });
  }
  if (accuracy && isFirst) {
    const growth = split * growthOfRate(1 - ASSUMED_TRAFFIC.accuracy, accuracy.maxDrop);
    const strataMs = Math.max(1000, accuracy.labelsWithinMs / 200);
    needs.push({ check: 'accuracy', predictions: evidence / growth, labelsMs: accuracy.labelsWithinMs + strataMs });
  }
  for (const [name, check] of Object.entries({ latency, firstByte }))
    for (const [quantile, growth] of check ? growthOfLatency(check, share) : [])
      needs.push({ check: `${name}.${quantile}`, predictions: evidence / (split * growth), labelsMs: 0 });
  return needs;
}

/**
 * Growth of ln E for PASS per prediction and unit of share*(1-share), of a canary that is no worse: the variance of the
 * hypergeometric count times (ln o_b)^2 / 2, with o_b the odds ratio that the limit allows.
 */
function growthOfRate(rate: number, limit: number): number {
  const limitRate = Math.min(rate + limit, 0.999);
  return (rate * (1 - rate) * (logit(limitRate) - logit(rate)) ** 2) / 2;
}

/** The same for "slower than": a canary that is no slower passes the raised threshold less often than control its own. */
function growthOfLatency(check: LatencyCheck, share: number): [quantile: string, growth: number][] {
  return QUANTILES.flatMap((quantile): [string, number][] => {
    const maxRatio = check[quantile]?.maxRatio;
    if (maxRatio === undefined) return [];
    const slow = 1 - QUANTILE_VALUE[quantile];
    const canarySlow = upperTail(NORMAL_QUANTILE[quantile] + Math.log(maxRatio) / ASSUMED_TRAFFIC.latencySigma);
    const mean = share * canarySlow + (1 - share) * slow;
    return [[quantile, (mean * (1 - mean) * (logit(slow) - logit(canarySlow)) ** 2) / 2]];
  });
}

const NORMAL_QUANTILE = { p50: 0, p95: 1.644854, p99: 2.326348 } as const;
const logit = (p: number): number => Math.log(p / (1 - p));

/** P(Z > z) for z >= 0, Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.max(Number.MIN_VALUE, (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series);
}

function warningsOf(spec: RolloutSpec, predictionsPerSecond: number, estimates: readonly StepEstimate[]): Problem[] {
  const rate = `${Number(predictionsPerSecond.toPrecision(3))} predictions/s`;
  if (estimates.some((estimate) => estimate.waitsFor === 'traffic'))
    return [
      {
        field: 'steps',
        code: 'no-traffic',
        message: `at ${rate} no step ends: the model needs traffic before its canary can be judged`,
      },
    ];
  const warnings: Problem[] = [];
  const first = estimates.find((estimate) => spec.steps[estimate.step]?.kind === 'traffic');
  for (const estimate of estimates) {
    const step = spec.steps[estimate.step];
    if (step?.kind !== 'traffic') continue;
    const field = `steps.${estimate.step}`;
    const takes = `at ${rate} this step takes about ${roughDuration(estimate.durationMs!)}`;
    if (step.atMostMs !== undefined && estimate.durationMs! > step.atMostMs)
      warnings.push({
        field: `${field}.atMost`,
        code: 'not-reachable',
        message: `${takes}, longer than its atMost of ${roughDuration(step.atMostMs)}: raise atMost or the canary's share`,
      });
    const share = step.weights[spec.canary!.version]!;
    if (estimate !== first || predictionsPerSecond >= LITTLE_TRAFFIC_PER_SECOND || share >= LARGER_FIRST_SHARE)
      continue;
    const larger = { ...step, weights: { [spec.stable.version]: 0.5, [spec.canary!.version]: 0.5 } };
    const quickerMs = estimateStep(spec, larger, predictionsPerSecond, true).durationMs!;
    warnings.push({
      field: `${field}.traffic_split`,
      code: 'too-little-traffic',
      message: `${takes}: begin with a share of 0.25 to 0.5 (at 0.5 about ${roughDuration(quickerMs)})`,
    });
  }
  return warnings;
}
