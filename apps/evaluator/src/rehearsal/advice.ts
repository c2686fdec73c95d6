import {
  estimateDuration,
  type Problem,
  QUANTILE_VALUE,
  QUANTILES,
  type RehearsalReport,
  type RehearsalRequest,
  type RehearsedStep,
  roughDuration,
  type RolloutSpec,
  type TrafficKind,
} from '@app/shared';
import { latencySigma } from './rehearsed-traffic.js';

type Measured = Omit<RehearsalReport, 'advice'>;

/** An end that comes as often as that is worth a word. */
const WORTH_A_WORD = 0.05;
/** As often as that it is what happens. */
const MOSTLY = 0.5;
/** So many labels too late are a mistake in the file. */
const LATE_LABELS = 0.2;
/** A step's atMost is proposed with so much room above what nine in ten needed. */
const ROOM = 1.5;

/** What to change in the file, and why; fields as in the file. Empty: nothing. */
export function adviceOf(request: RehearsalRequest, measured: Measured): Problem[] {
  if (measured.runs === 0) return [];
  return [
    ...impossibleCeilings(request),
    ...lateLabels(request),
    ...timeOver(request, measured),
    ...undecided(request, measured),
    ...arithmetic(request, measured),
    ...falseRollbacks(request, measured),
    ...allowedFault(request, measured),
  ];
}

/** What lint would say of this traffic, as far as the rehearsal has not shown it better. */
function arithmetic({ spec, traffic, canary }: RehearsalRequest, { ends }: Measured): Problem[] {
  const slow = ends.paused.share + ends.undecided.share > WORTH_A_WORD;
  return estimateDuration(spec, traffic.predictionsPerSecond, kindOf(traffic)).warnings.filter(({ code }) => {
    if (code === 'limit-too-tight') return slow && isAsGood(canary);
    return code === 'too-little-traffic';
  });
}

/** Ceilings that stable itself would not keep. */
function impossibleCeilings({ spec, traffic }: RehearsalRequest): Problem[] {
  const problems: Problem[] = [];
  const { errorRate, latency } = spec.checks;
  if (errorRate && traffic.errorRate >= errorRate.max)
    problems.push({
      field: 'checks.errorRate.max',
      code: 'ceiling-too-low',
      message: `checks.errorRate.max ${errorRate.max}: ${spec.stable.version} itself fails in ${percent(traffic.errorRate)}, so a canary as good is rolled back: raise it`,
    });
  for (const quantile of QUANTILES) {
    const maxMs = latency?.[quantile]?.maxMs;
    const stableMs = quantileMs(traffic.latency, QUANTILE_VALUE[quantile]);
    if (maxMs === undefined || stableMs < maxMs) continue;
    problems.push({
      field: `checks.latency.${quantile}.maxMs`,
      code: 'ceiling-too-low',
      message: `checks.latency.${quantile}.maxMs ${maxMs}: ${spec.stable.version} itself has ${Math.round(stableMs)} ms, so a canary as good is rolled back: raise it`,
    });
  }
  return problems;
}

function lateLabels({ spec, traffic }: RehearsalRequest): Problem[] {
  const withinMs = spec.checks.accuracy?.labelsWithinMs;
  if (withinMs === undefined) return [];
  const late = Math.exp(-withinMs / traffic.labelsAfterMs);
  if (!(late > LATE_LABELS)) return [];
  return [
    {
      field: 'checks.accuracy.labelsWithin',
      code: 'labels-too-late',
      message: `checks.accuracy.labelsWithin ${roughDuration(withinMs)}: ${percent(late)} of the labels come later and do not count; make it ${roughDuration(traffic.labelsAfterMs * 3)} or more`,
    },
  ];
}

/** Steps whose atMost comes before the pass. Of a canary that is worse that is what atMost is for. */
function timeOver({ spec, traffic, canary }: RehearsalRequest, { steps, ends, rolledBackBy }: Measured): Problem[] {
  const byTime = rolledBackBy.find(({ name }) => name === 'step-time-over')?.share ?? 0;
  if (!isAsGood(canary) || ends.paused.share + byTime * ends['rolled-back'].share <= WORTH_A_WORD) return [];
  const { steps: estimates, warnings } = estimateDuration(spec, traffic.predictionsPerSecond, kindOf(traffic));
  return steps.flatMap((rehearsed): Problem[] => {
    const { step, reached, passed, time } = rehearsed;
    const planned = spec.steps[step];
    const atMostMs = planned?.kind === 'traffic' ? planned.atMostMs : undefined;
    const late = reached === 0 ? 0 : 1 - passed / reached;
    if (atMostMs === undefined || late <= WORTH_A_WORD) return [];
    const field = `steps.${step}.atMost`;
    const estimateMs = estimates[step]?.durationMs ?? 0;
    const neededMs = Math.max(ROOM * (time?.p90 ?? 0), ROOM * estimateMs, atMostMs * ROOM);
    const lint = warnings.find((warning) => warning.field === field);
    const remedy = lint ? lint.message : `make it ${roughDuration(neededMs)}, or give the canary a larger share`;
    return [
      {
        field,
        code: 'at-most-too-short',
        message: `step ${step + 1} is not over within its atMost of ${roughDuration(atMostMs)} in ${percent(late)} of the rollouts; ${waitText(rehearsed)}; ${remedy}`,
      },
    ];
  });
}

/** Steps in which rollouts are stuck. */
function undecided({ spec, canary, withinMs }: RehearsalRequest, { ends, steps, runs }: Measured): Problem[] {
  if (ends.undecided.share <= WORTH_A_WORD) return [];
  const stuck = steps.reduce((worst, step) => (missing(step) > missing(worst) ? step : worst), steps[0]!);
  const [first] = stuck.waitedFor;
  const field = `steps.${stuck.step}`;
  const beginning = `${percent(ends.undecided.count / runs)} of the rollouts are not over after ${roughDuration(withinMs)}, most of them in step ${stuck.step + 1}`;
  if (first?.name === 'no-labels')
    return [
      {
        field: 'checks.accuracy.labelsWithin',
        code: 'no-labels',
        message: `${beginning}: no labels come in time, so accuracy is never known`,
      },
    ];
  const planned = spec.steps[stuck.step];
  const atMostMs = planned?.kind === 'traffic' ? planned.atMostMs : undefined;
  const end =
    atMostMs === undefined ? 'an atMost for the step would end it' : `its atMost of ${roughDuration(atMostMs)} ends it`;
  const remedy = isAsGood(canary)
    ? hasLimit(spec, stuck) + 'give the canary a larger share, or the rollout more traffic'
    : `the canary is too near the limit for either to be shown; ${end}`;
  return [{ field, code: 'undecided', message: `${beginning}; ${waitText(stuck)}: ${remedy}` }];
}

function hasLimit(spec: RolloutSpec, { lastChecks }: RehearsedStep): string {
  const check = lastChecks[0]?.name;
  if (!check || !(check.split('.')[0]! in spec.checks)) return '';
  return `widen the limit of checks.${check}, `;
}

/** A canary as good as stable that is rolled back more often than alpha says. */
function falseRollbacks({ spec, canary }: RehearsalRequest, { ends, rolledBackBy }: Measured): Problem[] {
  const byCheck = rolledBackBy.find(({ name }) => name !== 'step-time-over');
  const [low] = ends['rolled-back'].interval;
  if (!isAsGood(canary) || !byCheck || low <= spec.alpha) return [];
  return [
    {
      field: 'checks',
      code: 'good-canary-rolled-back',
      message: `a canary as good as ${spec.stable.version} is rolled back in ${percent(ends['rolled-back'].share)} of the rollouts, most often by ${byCheck.name}: with this traffic the file cannot work`,
    },
  ];
}

/** A canary that is worse and is promoted all the same: the file allows it. */
function allowedFault({ spec, canary }: RehearsalRequest, { ends }: Measured): Problem[] {
  if (isAsGood(canary) || ends.promoted.share <= MOSTLY) return [];
  const { errorRate, accuracy, latency } = spec.checks;
  const limits = [
    ...(canary.errors > 0
      ? [errorRate ? `checks.errorRate.maxIncrease ${errorRate.maxIncrease}` : 'checks.errorRate is off']
      : []),
    ...(canary.accuracy < 0
      ? [accuracy ? `checks.accuracy.maxDrop ${accuracy.maxDrop}` : 'checks.accuracy is off']
      : []),
    ...(canary.latencyRatio > 1 ? [latency ? 'the limits of checks.latency' : 'checks.latency is off'] : []),
    ...(canary.deadAfterMs !== null ? ['the rollout is over before the canary dies'] : []),
  ];
  if (limits.length === 0) return [];
  return [
    {
      field: 'checks',
      code: 'worse-canary-promoted',
      message: `this canary is promoted in ${percent(ends.promoted.share)} of the rollouts (${limits.join('; ')}): if it should not be, lower the limit, or write strict: true to refuse what is worse at all`,
    },
  ];
}

function waitText({ lastChecks, waitedFor }: RehearsedStep): string {
  const [check] = lastChecks;
  if (check) return `it waits for ${check.name} (${percent(check.share)})`;
  return waitedFor[0] ? `it waits: ${waitedFor[0].name}` : 'it passes nothing';
}

const missing = ({ reached, passed }: RehearsedStep): number => reached - passed;

function isAsGood({ errors, accuracy, latencyRatio, deadAfterMs }: RehearsalRequest['canary']): boolean {
  return errors <= 0 && accuracy >= 0 && latencyRatio <= 1 && deadAfterMs === null;
}

function kindOf({ errorRate, accuracy, latency }: RehearsalRequest['traffic']): TrafficKind {
  return { errorRate, accuracy, latencySigma: latencySigma(latency), latencyP50Ms: latency.p50Ms };
}

/** Of a lognormal with these quantiles; only for the ones that rollouts have. */
function quantileMs({ p50Ms, p99Ms }: RehearsalRequest['traffic']['latency'], quantile: number): number {
  if (quantile === 0.5) return p50Ms;
  return quantile === 0.99 ? p99Ms : p50Ms * (p99Ms / p50Ms) ** (1.644854 / 2.326348);
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(share > 0.995 ? 3 : 2))} %`;
}
