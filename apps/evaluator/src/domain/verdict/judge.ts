import type { CheckResult, ShadowStep, TrafficStep, VerdictResult } from '@app/shared';
import type { CutContext, Judgement } from '../engine.js';
import type { RolloutPlan } from '../plan.js';
import { checkResults, type GroupedCheck, type Levels } from './check-results.js';
import type { CheckGroup } from './checks-plan.js';
import { MEAN_VALUES_MIN } from './means.js';
import { driftResults } from './optional-results.js';
import { reasonText, type ReasonCode } from './reason-text.js';
import type { RolloutEvidence } from './rollout-evidence.js';
import { shadowResults } from './shadow-results.js';
import { shadowFailCode, shadowHold, shadowStepOf, shadowWait } from './shadow-ruling.js';

/** A partition that lags the newest by more may still hold what would change the picture. */
const LAG_MAX_MS = 2_000;
/** More than this share left out: what is missing may be what matters. */
const LOST_SHARE_MAX = 0.05;
/** An outage both arms share is seen from this many predictions of the last seconds on. */
const OUTAGE_PREDICTIONS = 5;

/** All that a judgement rests on. */
export interface Standing {
  readonly plan: RolloutPlan;
  readonly generation: number;
  readonly evidence: RolloutEvidence;
  readonly cut: CutContext;
  /** It has failed before: that latches. */
  readonly failed: boolean;
}

/** What the evidence says, whatever the time is: it stays as it is until something is folded. */
export interface Findings {
  readonly levels: Levels;
  readonly lnE: number;
  readonly checks: readonly GroupedCheck[];
}

export interface Ruling {
  readonly result: VerdictResult;
  readonly code: ReasonCode;
}

export function findingsOf({ plan, evidence }: Pick<Standing, 'plan' | 'evidence'>): Findings {
  const levels: Levels = { lnFail: Math.log(1 / plan.spec.alpha), lnPass: Math.log(1 / plan.spec.beta) };
  const lnE = evidence.checks.groups.length === 0 ? 0 : evidence.lnTotal();
  return { levels, lnE, checks: resultsOf(plan, evidence, levels) };
}

/**
 * Judges a rollout: FAIL > PASS that nothing speaks against > the step's time is over > INVALID > HOLD > CONTINUE.
 * FAIL is never blocked by what is missing, and what is missing never passes.
 */
export function judge(standing: Standing, { levels, lnE, checks }: Findings): Ruling {
  return standing.failed || lnE >= levels.lnFail
    ? { result: 'fail', code: failCode(decidingCheck(standing.evidence, checks)) }
    : rule(standing, checks, levels);
}

/** Puts a ruling into words and figures. */
export function tell(standing: Standing, { levels, lnE, checks }: Findings, ruling: Ruling): Judgement {
  const { plan, generation, evidence } = standing;
  const failing = ruling.result === 'fail';
  const deciding = failing ? decidingCheck(evidence, checks) : waitingCheck(checks, levels);
  const ordered = [
    ...inOrder(checks, deciding, failing),
    ...driftResults(evidence, plan.spec.checks.drift?.allowance ?? 0),
  ];
  const forecast = forecastOf(standing, checks);
  const text = reasonText(ruling.code, { ...standing, checks: ordered, forecast, lnE, levels });
  const { canary, stable } = evidence.progress;
  return {
    rollout: plan.rollout,
    step: plan.step,
    generation,
    result: ruling.result,
    reason: { code: ruling.code, text },
    checks: ordered,
    evidence: { lnE: Math.max(-1e6, Math.min(1e6, lnE)), lnLimit: levels.lnFail },
    // Of pairs both versions have one each.
    counted: { stable: shadowStepOf(plan) ? canary : stable, canary },
    forecast,
  };
}

/** In a shadow step only copies say anything of the canary. */
function resultsOf(plan: RolloutPlan, evidence: RolloutEvidence, levels: Levels): readonly GroupedCheck[] {
  const { shadow } = evidence;
  const isShadowStep = shadowStepOf(plan) !== null;
  const usual = isShadowStep ? [] : checkResults(evidence, evidence.progress.step, levels);
  return shadow ? [...usual, ...shadowResults(shadow, levels, isShadowStep)] : usual;
}

/** Everything but FAIL. */
function rule(standing: Standing, checks: readonly GroupedCheck[], levels: Levels): Ruling {
  const invalid = invalidCode(standing);
  const hold = holdCode(standing);
  const wait = waitCode(standing, checks, levels);
  if (!invalid && !hold && !wait)
    return { result: 'pass', code: standing.evidence.present()?.bake ? 'bake-complete' : 'passed' };
  const step = stepOf(standing);
  if (step?.atMostMs !== undefined && standing.evidence.progress.onClockMs(standing.cut.asOfMs) >= step.atMostMs)
    return { result: 'inconclusive', code: 'step-time-over' };
  if (invalid) return { result: 'invalid', code: invalid };
  if (hold) return { result: 'hold', code: hold };
  return { result: 'continue', code: wait! };
}

/** Something is wrong with the records or the split. */
function invalidCode({ evidence, cut, plan }: Standing): ReasonCode | null {
  if (evidence.misrouted > 0) return 'split-mismatch';
  if (evidence.progress.lostShare() > LOST_SHARE_MAX) return 'losses';
  const leastMs = cut.asOfMs - LAG_MAX_MS;
  const needsLabels = plan.spec.checks.accuracy !== undefined || shadowStepOf(plan) !== null;
  if (isBehind(cut.outcomeLogTimesMs, leastMs) || (needsLabels && isBehind(cut.labelLogTimesMs, leastMs)))
    return 'stale';
  return null;
}

function isBehind(timesMs: readonly number[], leastMs: number): boolean {
  for (const timeMs of timesMs) if (timeMs < leastMs) return true;
  return false;
}

/** Data that should be there is not, or says nothing about the canary. */
function holdCode(standing: Standing): ReasonCode | null {
  const { evidence, plan, cut } = standing;
  const present = evidence.present();
  if (!present) return null;
  if (bothFailing(evidence)) return 'both-failing';
  if (shadowStepOf(plan)) return shadowHold({ plan, evidence, elapsedMs: evidence.progress.elapsedMs(cut.asOfMs) });
  const weights = plan.phases.at(-1)!.weights;
  const silence = evidence.traffic.silence({ canary: weights[plan.canary] ?? 0, stable: weights[plan.stable] ?? 0 });
  if (silence === 'both') return 'no-traffic';
  if (silence === 'canary') return 'no-canary-traffic';
  if (silence === 'stable') return 'no-control-traffic';
  if (present.bake) return evidence.drift.lnE() >= Math.log(1 / plan.spec.alpha) ? 'bake-drift' : null;
  if (labelsMissing(standing, evidence.progress.elapsedMs(cut.asOfMs))) return 'no-labels';
  if (valuesMissing(evidence)) return 'no-values';
  if ((evidence.optional.drift?.lnE() ?? 0) >= Math.log(1 / plan.spec.alpha)) return 'prediction-drift';
  return null;
}

function bothFailing({ ceilings, checks }: RolloutEvidence): boolean {
  if (!checks.errors) return false;
  const { n1, x1, n0, x0 } = ceilings.recent.over(10);
  const enough = n1 >= OUTAGE_PREDICTIONS && n0 >= OUTAGE_PREDICTIONS;
  return enough && x1 / n1 > checks.errors.max && x0 / n0 > checks.errors.max;
}

/** No label of an arm although the horizon of the first ones has long gone by. */
function labelsMissing({ evidence, plan }: Standing, elapsedMs: number): boolean {
  const { accuracy } = evidence;
  const check = plan.spec.checks.accuracy;
  if (!accuracy || !check) return false;
  if (accuracy.look.n1 > 0 && accuracy.look.n0 > 0) return false;
  const { coverage } = accuracy;
  if (coverage.answered1 > 0 && coverage.answered0 > 0) return coverage.labelled1 === 0 || coverage.labelled0 === 0;
  return elapsedMs > plan.spec.warmup.durationMs + 2 * check.labelsWithinMs;
}

/** Enough has been answered (or labelled), and a number that is to be compared was never in it. */
function valuesMissing({ optional, progress, accuracy }: RolloutEvidence): boolean {
  const answered = progress.canary >= MEAN_VALUES_MIN && progress.stable >= MEAN_VALUES_MIN;
  const labelled = (accuracy?.look.n1 ?? 0) >= MEAN_VALUES_MIN;
  return optional.custom.some(({ arms, spec }) => arms[1].n === 0 && (spec.from === 'label' ? labelled : answered));
}

/** What is still to come before a pass. */
function waitCode(standing: Standing, checks: readonly GroupedCheck[], levels: Levels): ReasonCode | null {
  const { evidence, plan, cut } = standing;
  const step = stepOf(standing);
  if (!step) return 'paused-by-plan';
  const present = evidence.present();
  if (!present || present.step !== plan.step) return 'warming-up';
  const elapsedMs = evidence.progress.elapsedMs(cut.asOfMs);
  if (step.kind === 'shadow') return shadowWait({ plan, evidence, elapsedMs }, step, checks, levels);
  if (present.bake)
    return elapsedMs < step.atLeast.durationMs || evidence.progress.canary === 0 ? 'min-duration' : null;
  if (present.warmingUp()) return 'warming-up';
  const gating = checks.filter(({ figures }) => figures.gating);
  if (gating.some(({ figures, group }) => group === 'latency' && figures.result === 'no-data'))
    return 'baseline-missing';
  if (evidence.errorsFinal && evidence.passLine('errors') === null) return 'baseline-missing';
  const { canary } = evidence.progress;
  if (canary === 0 || canary < step.atLeast.predictions) return 'min-predictions';
  if (elapsedMs < step.atLeast.durationMs) return 'min-duration';
  const missing = gating.filter(({ figures }) => !((figures.evidence.pass ?? -Infinity) >= levels.lnPass));
  if (missing.length === 0) return null;
  return missing.every(({ figures }) => figures.check === 'accuracy' && figures.result === 'no-data')
    ? 'labels-maturing'
    : 'evidence-growing';
}

/** The present step; null: a pause. */
function stepOf({ plan }: Standing): TrafficStep | ShadowStep | null {
  const step = plan.spec.steps[plan.step];
  return step && step.kind !== 'pause' ? step : null;
}

const FAIL_CODE: Readonly<Record<CheckGroup, ReasonCode>> = {
  errors: 'errors-too-many',
  ceilings: 'ceiling-exceeded',
  latency: 'latency-too-slow',
  accuracy: 'accuracy-too-low',
};

function failCode(deciding: GroupedCheck | null): ReasonCode {
  if (deciding?.figures.unit === 'number') return 'custom-beyond-limit';
  return deciding ? (shadowFailCode(deciding.figures.check) ?? FAIL_CODE[deciding.group]) : 'errors-too-many';
}

/** The check with the most evidence, in the group with the most. */
function decidingCheck(evidence: RolloutEvidence, checks: readonly GroupedCheck[]): GroupedCheck | null {
  let deciding: GroupedCheck | null = null;
  const weight = (check: GroupedCheck): number => evidence.lnFail(check.group);
  for (const check of checks) {
    const ahead =
      !deciding ||
      weight(check) > weight(deciding) ||
      (check.group === deciding.group && lnFail(check) > lnFail(deciding));
    if (ahead) deciding = check;
  }
  return deciding;
}

/** The gating check that has longest to go. */
function waitingCheck(checks: readonly GroupedCheck[], levels: Levels): GroupedCheck | null {
  const missing = checks.filter(({ figures }) => figures.gating && (figures.evidence.pass ?? 0) < levels.lnPass);
  return missing.reduce<GroupedCheck | null>(
    (worst, check) => (!worst || toGo(check) > toGo(worst) ? check : worst),
    null,
  );
}

const lnFail = ({ figures }: GroupedCheck): number => figures.evidence.fail ?? -Infinity;
const toGo = ({ figures }: GroupedCheck): number => figures.predictionsToGo ?? Infinity;

function inOrder(checks: readonly GroupedCheck[], deciding: GroupedCheck | null, failing: boolean): CheckResult[] {
  const rest = checks.filter((check) => check !== deciding).map(({ figures }) => figures);
  if (!deciding) return rest;
  const first: CheckResult = failing ? { ...deciding.figures, result: 'fail' } : deciding.figures;
  return [first, ...rest];
}

/** Canary predictions, and minutes at the present rate, until a pass at the present growth. */
function forecastOf(standing: Standing, checks: readonly GroupedCheck[]): Judgement['forecast'] {
  const { evidence, cut } = standing;
  const step = stepOf(standing);
  if (!step) return { predictionsToGo: null, minutesToGo: null };
  const elapsedMs = evidence.progress.elapsedMs(cut.asOfMs);
  // Copies come back in strata: their rate is that of the whole step.
  const perMs =
    step.kind === 'shadow' ? evidence.progress.canary / Math.max(1, elapsedMs) : evidence.traffic.canaryPerMs();
  const perMinute = perMs * 60_000;
  const timeLeft = Math.max(0, step.atLeast.durationMs - elapsedMs) / 60_000;
  if (evidence.present()?.bake) return { predictionsToGo: 0, minutesToGo: timeLeft };
  let predictionsToGo = Math.max(0, step.atLeast.predictions - evidence.progress.canary);
  for (const { figures } of checks) {
    if (!figures.gating) continue;
    if (figures.predictionsToGo === null) return { predictionsToGo: null, minutesToGo: null };
    predictionsToGo = Math.max(predictionsToGo, figures.predictionsToGo);
  }
  if (predictionsToGo === 0) return { predictionsToGo, minutesToGo: timeLeft };
  const minutesToGo = perMinute > 0 ? Math.max(timeLeft, predictionsToGo / perMinute) : null;
  return { predictionsToGo, minutesToGo };
}
