import { assertNever, type CheckResult, type Quantile, type TrafficStep } from '@app/shared';
import type { CutContext, Judgement } from '../engine.js';
import type { RolloutPlan } from '../plan.js';
import type { Levels } from './check-results.js';
import type { LatencySource } from './checks-plan.js';
import { count, duration, milliseconds, percent, points } from './figures-text.js';
import { customText, noValuesText, plainNumber, predictionDriftText, slowShareText } from './optional-text.js';
import type { RolloutEvidence } from './rollout-evidence.js';

/** Why a verdict is as it is: stable codes. */
export type ReasonCode =
  | 'errors-too-many'
  | 'ceiling-exceeded'
  | 'latency-too-slow'
  | 'accuracy-too-low'
  | 'shadow-errors-too-many'
  | 'shadow-agreement-too-low'
  | 'shadow-accuracy-too-low'
  | 'custom-beyond-limit'
  | 'passed'
  | 'bake-complete'
  | 'step-time-over'
  | 'split-mismatch'
  | 'losses'
  | 'stale'
  | 'both-failing'
  | 'no-traffic'
  | 'no-canary-traffic'
  | 'no-control-traffic'
  | 'no-labels'
  | 'no-copies'
  | 'no-values'
  | 'prediction-drift'
  | 'bake-drift'
  | 'paused-by-plan'
  | 'warming-up'
  | 'baseline-missing'
  | 'min-predictions'
  | 'min-duration'
  | 'labels-maturing'
  | 'evidence-growing';

/** What a reason is told from. */
export interface Told {
  readonly plan: RolloutPlan;
  readonly evidence: RolloutEvidence;
  readonly cut: CutContext;
  /** The deciding one, or the one that has longest to go, comes first. */
  readonly checks: readonly CheckResult[];
  readonly forecast: Judgement['forecast'];
  readonly lnE: number;
  readonly levels: Levels;
}

/** One or two sentences for whoever is on call: the figures, the limit, the interval, and what is waited for. */
export function reasonText(code: ReasonCode, told: Told): string {
  const { plan, evidence, cut } = told;
  const first = told.checks[0];
  const { progress } = evidence;
  const step = plan.spec.steps[plan.step];
  const bounds: Pick<TrafficStep, 'atLeast' | 'atMostMs'> =
    step && step.kind !== 'pause' ? step : { atLeast: { predictions: 0, durationMs: 0 } };
  const { atLeast } = bounds;
  switch (code) {
    case 'errors-too-many':
    case 'ceiling-exceeded':
    case 'latency-too-slow':
    case 'accuracy-too-low':
    case 'shadow-errors-too-many':
    case 'shadow-agreement-too-low':
    case 'shadow-accuracy-too-low':
    case 'custom-beyond-limit':
      return failText(first, told);
    case 'passed':
      return `every check is within its limit after ${count(progress.canary)} canary predictions: ${told.checks
        .filter(({ gating }) => gating)
        .map((check) => checkText(check, plan))
        .join('; ')}`;
    case 'bake-complete':
      return `${plan.canary} has served everything for ${duration(progress.elapsedMs(cut.asOfMs))} (${count(progress.canary)} predictions) without an alarm`;
    case 'step-time-over':
      return `the step's time of ${duration(bounds.atMostMs ?? 0)} is over and it has not passed; ${waitingFor(told)}`;
    case 'split-mismatch':
      return `${count(evidence.misrouted)} predictions of this generation did not go to the version their user is assigned to: the comparison is not valid while a router does that`;
    case 'losses':
      return `${percent(progress.lostShare())} of the step's predictions could not be counted, because records of their buckets are missing; at most 5 % may be`;
    case 'stale':
      return `a partition is ${duration(lagMs(told))} behind the newest record, so what is known may be old; nothing passes until it has caught up`;
    case 'both-failing':
      return bothFailingText(told);
    case 'no-traffic':
      return `neither version gets predictions, so there is nothing to compare`;
    case 'no-canary-traffic':
      return `${plan.canary} gets no predictions although it has a weight: ${arrivals(told)}`;
    case 'no-control-traffic':
      return `${plan.stable} gets no predictions although it has a weight, so there is nothing to compare ${plan.canary} with: ${arrivals(told)}`;
    case 'no-labels':
      return `no labels ${labelsText(told)} have come within ${duration(plan.spec.checks.accuracy?.labelsWithinMs ?? 0)} of their predictions, so accuracy is not known`;
    case 'no-values':
      return noValuesText(evidence);
    case 'prediction-drift':
      return predictionDriftText(told);
    case 'no-copies':
      return `no copy of a prediction has come back from ${plan.canary} in ${duration(progress.elapsedMs(cut.asOfMs))}: do the routers reach it, and do they run a version that sends copies?`;
    case 'bake-drift':
      return driftText(told);
    case 'paused-by-plan':
      return `the plan pauses here; all checks go on watching`;
    case 'warming-up':
      return `warming up: ${plan.canary} gets ${count(plan.spec.warmup.predictions)} predictions and ${duration(plan.spec.warmup.durationMs)} before the comparison begins; the ceilings are on`;
    case 'baseline-missing':
      return `too little is known of ${plan.stable} yet: the comparison needs 500 of its predictions for errors and 2,000 for latency thresholds`;
    case 'min-predictions':
      return `${count(progress.canary)} of at least ${count(Math.max(1, atLeast.predictions))} canary predictions of this step have been counted`;
    case 'min-duration':
      return `${duration(progress.elapsedMs(cut.asOfMs))} of at least ${duration(atLeast.durationMs)} of this step have gone by without an alarm`;
    case 'labels-maturing':
      return `all else is within its limits; labels count ${duration(plan.spec.checks.accuracy?.labelsWithinMs ?? 0)} after their predictions, and none are that old yet`;
    case 'evidence-growing':
      return waitingFor(told);
    default:
      return assertNever(code, 'reason code');
  }
}

/** What the canary does in the bake beside what control did in the last step. */
function driftText({ plan, evidence }: Told): string {
  const worst = evidence.drift.worst();
  if (!worst) return `${plan.canary} in the bake is no longer as ${plan.stable} was in the last step`;
  const bad = worst.aboveMs === null ? 'failed' : `took longer than ${milliseconds(worst.aboveMs)}`;
  const measured = `${count(worst.bad)} of ${count(worst.n)} predictions (${percent(worst.bad / Math.max(1, worst.n))}) ${bad}`;
  return `${plan.canary} in the bake is no longer as ${plan.stable} was in the last step: ${measured}, and ${percent(worst.share)} would be within the limit`;
}

/** Beyond a million to one the number says nothing more. */
const LN_ODDS_TOLD_MAX = Math.log(1e6);

function failText(deciding: CheckResult | undefined, told: Told): string {
  const better = told.checks
    .filter((check) => check !== deciding)
    .flatMap((check) => (isBetter(check) ? [betterText(check)] : isBetterSoFar(check) ? [soFarText(check)] : []));
  const praise = better.length > 0 ? `${better.join(' and ')}, but ` : '';
  const others = told.checks
    .filter((check) => check !== deciding && check.result === 'fail')
    .map((check) => checkText(check, told.plan));
  const also = others.length > 0 ? `; also ${others.join('; ')}` : '';
  const cause = deciding ? failingText(deciding, told) : 'the checks together are beyond their limits';
  const odds = told.lnE > LN_ODDS_TOLD_MAX ? 'over a million' : count(Math.floor(Math.exp(told.lnE)));
  const needed = count(Math.round(Math.exp(told.levels.lnFail)));
  return `${praise}${cause}${also} (evidence ${odds} to 1, ${needed} to 1 rolls back)`;
}

function failingText(check: CheckResult, told: Told): string {
  const { canary } = check;
  const { plan } = told;
  if (check.check === 'errorCeiling') {
    const { n1, x1 } = told.evidence.ceilings.recent.over(10);
    return `${plan.canary} fails: ${count(x1)} of its ${count(n1)} predictions of the last 10 s (${count(canary.bad)} of ${count(canary.n)} in all), and ${percent(check.limit)} is the most allowed`;
  }
  if (check.stable === null)
    return `${name(check)} of ${plan.canary} is ${milliseconds(canary.value)}, above the most allowed, ${milliseconds(check.limit)} (${count(canary.bad)} of ${count(canary.n)} slower)`;
  return checkText(check, plan);
}

/** One check in words: both values, the difference with its interval, the limit. */
function checkText(check: CheckResult, plan: RolloutPlan): string {
  const { stable, canary, difference, interval, limit, unit } = check;
  if (unit === 'number') return customText(check);
  if (unit === 'fraction' && check.check.startsWith('latency.')) return slowShareText(check);
  if (check.check === 'shadow.agreement')
    return `${name(check)} is ${percent(canary.value ?? 0)} (n ${count(canary.n)})${check.gating ? `, at least ${percent(limit)} wanted` : ''}`;
  if (!stable)
    return unit === 'ms'
      ? `${name(check)} ${milliseconds(canary.value)} (at most ${milliseconds(limit)})`
      : `${name(check)} ${percent(canary.value ?? 0)} (at most ${percent(limit)})`;
  if (canary.value === null || stable.value === null) return `${name(check)} is not known yet`;
  if (unit === 'ms') {
    const range = interval ? ` [${interval.map((end) => signed(milliseconds(end), end)).join(', ')}]` : '';
    return `${name(check)} is ${milliseconds(canary.value)} against ${milliseconds(stable.value)}${range}, limit ${ratioText(check, plan)}+${milliseconds(limit)}`;
  }
  const range = interval ? ` [${interval.map(points).join(', ')}]` : '';
  return `${name(check)} is ${percent(canary.value)} (n ${count(canary.n)}) against ${percent(stable.value)} (n ${count(stable.n)}), ${points(difference ?? 0)} points${range}, limit ${points(limit)}`;
}

/** `x1.2 or `: how a latency limit is written in the plan, before what it comes to in ms. */
function ratioText({ check }: CheckResult, { spec }: RolloutPlan): string {
  const [source, quantile] = check.split('.') as [LatencySource, Quantile];
  const ratio = spec.checks[source]?.[quantile]?.maxRatio;
  return ratio === undefined ? '' : `x${ratio} or `;
}

/** Better beyond doubt: the whole interval is on the good side of no difference. */
function isBetter({ check, interval, limit, segment }: CheckResult): boolean {
  if (!interval || segment !== undefined) return false;
  return check === 'accuracy' || limit < 0 ? interval[0] > 0 : interval[1] < 0;
}

/**
 * Better by as much as would have been too much to be worse, of what says how good the answers are, though not beyond
 * doubt yet: a fault in latency is often seen before enough labels have come.
 */
function isBetterSoFar({ check, difference, interval, limit, segment, result }: CheckResult): boolean {
  if (check !== 'accuracy' || difference === null || !interval || segment !== undefined) return false;
  return result !== 'fail' && difference > Math.abs(limit);
}

function soFarText(check: CheckResult): string {
  const interval = check.interval!.map(points).join(', ');
  return `${betterText(check, ' so far')}, of ${count(check.canary.n)} labels and not beyond doubt [${interval}]`;
}

/** @param soFar " so far" where it is not beyond doubt. */
function betterText(check: CheckResult, soFar = ''): string {
  const { difference, canary, stable, unit } = check;
  const way = `${check.check === 'accuracy' || check.limit < 0 ? 'higher' : 'lower'}${soFar}`;
  if (unit === 'number') {
    const by = plainNumber(Math.abs(difference ?? 0));
    return `mean ${name(check)} is ${way} by ${by} (${plainNumber(canary.value ?? 0)} against ${plainNumber(stable?.value ?? 0)})`;
  }
  const by =
    unit === 'ms' ? milliseconds(Math.abs(difference ?? 0)) : `${points(Math.abs(difference ?? 0)).slice(1)} points`;
  const values =
    unit === 'ms'
      ? `${milliseconds(canary.value)} against ${milliseconds(stable?.value ?? null)}`
      : `${percent(canary.value ?? 0)} against ${percent(stable?.value ?? 0)}`;
  return `${name(check)} is ${way} by ${by} (${values})`;
}

/** What a pass still waits for. */
function waitingFor(told: Told): string {
  const waiting = told.checks.filter(
    ({ gating, evidence }) => gating && !((evidence.pass ?? -Infinity) >= told.levels.lnPass),
  );
  const first = waiting[0];
  if (!first) return 'nothing speaks against it';
  const { predictionsToGo } = first;
  const { minutesToGo } = told.forecast;
  const sticky = told.evidence.largestCorrection() > 2;
  const more =
    predictionsToGo === null
      ? `not at this rate${sticky ? ': it needs more users, or assignment by request' : ''}`
      : `about ${count(predictionsToGo)} canary predictions to go${minutesToGo === null ? '' : `, ${duration(minutesToGo * 60_000)} at the present rate`}`;
  const names = waiting.map(name).join(', ');
  return `not yet sure enough of ${names}; ${checkText(first, told.plan)}; ${more}`;
}

function bothFailingText({ plan, evidence }: Told): string {
  const { n1, x1, n0, x0 } = evidence.ceilings.recent.over(10);
  return `both versions fail (${plan.canary} ${count(x1)} of ${count(n1)}, ${plan.stable} ${count(x0)} of ${count(n0)} in the last 10 s): something they share is down, which is not the canary's fault`;
}

function arrivals({ plan, evidence }: Told): string {
  const { canary, stable } = evidence.traffic.totals();
  return `${count(canary)} to ${plan.canary} and ${count(stable)} to ${plan.stable} since the weights changed`;
}

function labelsText({ plan, evidence }: Told): string {
  const coverage = evidence.accuracy?.coverage;
  if (coverage && coverage.labelled1 === 0 && coverage.labelled0 > 0) return `of ${plan.canary}`;
  if (coverage && coverage.labelled0 === 0 && coverage.labelled1 > 0) return `of ${plan.stable}`;
  return 'of either version';
}

function lagMs({ cut }: Told): number {
  const slowest = Math.min(...cut.outcomeLogTimesMs, ...cut.labelLogTimesMs);
  return slowest < 0 ? cut.asOfMs : cut.asOfMs - slowest;
}

const NAMES: Readonly<Record<string, string>> = {
  errorRate: 'error rate',
  errorCeiling: 'error rate',
  accuracy: 'accuracy',
  'shadow.errorRate': 'error rate on copies',
  'shadow.agreement': 'agreement on copies',
  'shadow.accuracy': 'accuracy on copies',
};

function name({ check, segment }: CheckResult): string {
  const known = NAMES[check];
  if (known) return segment === undefined ? known : `${known} of ${segment}`;
  if (check.startsWith('custom.')) return check.slice('custom.'.length);
  const [source = check, quantile = ''] = check.split('.');
  return `${quantile} ${source.startsWith('firstByte') ? 'time to first byte' : 'latency'}`;
}

function signed(text: string, value: number): string {
  return value >= 0 ? `+${text}` : text;
}
