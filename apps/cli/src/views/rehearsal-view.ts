import {
  type Chance,
  checkName,
  REHEARSAL_ENDS,
  type RehearsalEnd,
  type RehearsalProgress,
  type RehearsalReport,
  type RehearsalRequest,
  type RehearsedStep,
  roughDuration,
  type Shared,
} from '@app/shared';
import type { Screen } from '../terminal.js';
import { countText, percentText, weightsText } from './figures.js';
import { tableLines, wrapped } from './table.js';

/** What a rehearsal came to: a table of ends, one of steps, and advice. */
export function rehearsalLines(request: RehearsalRequest, report: RehearsalReport, screen: Screen): string[] {
  const { runs, advice, notes, abandoned } = report;
  const told = [
    ...(abandoned > 0
      ? [`stopped: ${rolloutsText(abandoned)} under way left out, so long ones are rarer here than they would be`]
      : []),
    ...notes,
  ];
  const headline = `${request.spec.model}: ${rolloutsText(runs)} rehearsed in ${roughDuration(report.elapsedMs)} (seed ${report.seed})`;
  if (runs === 0) return [headline, ...told];
  const width = screen.columns || WIDTH_UNKNOWN;
  const paragraph = (text: string): string[] =>
    wrapped(text, width - 2).map((line, i) => (i === 0 ? line : `  ${line}`));
  return [
    headline,
    ...paragraph(`traffic  ${trafficText(request)}`),
    ...paragraph(`canary   ${canaryText(request)}`),
    '',
    ...tableLines(['END', 'CHANCE', '95 % INTERVAL', 'MEDIAN', '90 %'], endRows(request, report)),
    '',
    ...tableLines(
      ['STEP', 'TRAFFIC', 'REACHED', 'MEDIAN', '90 %', 'LAST TO PASS'],
      report.steps.map((step) => stepRow(request, report, step)),
    ),
    '',
    ...paragraph(conclusion(report)),
    ...advice.flatMap(({ message }) => paragraph(`${screen.colors.yellow('advice')} ${message}`)),
    ...told.flatMap((note) => paragraph(`note: ${note}`)),
  ];
}

/** Where there is no screen, or one that does not say how wide it is. */
const WIDTH_UNKNOWN = 120;

/** One line while it runs: `512 rollouts: 480 promoted, 32 rolled back`. */
export function progressText({ runs, ends }: RehearsalProgress): string {
  const parts = REHEARSAL_ENDS.filter((end) => ends[end] > 0).map((end) => `${countText(ends[end])} ${END_WORDS[end]}`);
  return `${rolloutsText(runs)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

const rolloutsText = (count: number): string => `${countText(count)} ${count === 1 ? 'rollout' : 'rollouts'}`;

const END_WORDS: Readonly<Record<RehearsalEnd, string>> = {
  promoted: 'promoted',
  'rolled-back': 'rolled back',
  paused: 'paused',
  undecided: 'undecided',
};

function trafficText({ traffic }: RehearsalRequest): string {
  const { predictionsPerSecond, errorRate, latency, accuracy, labelsAfterMs, labelsMissing, users } = traffic;
  return [
    `${predictionsPerSecond} predictions/s`,
    users === null ? 'each from another user' : `from ${countText(users)} users`,
    `${percentText(errorRate)} % errors`,
    `latency p50 ${latency.p50Ms}ms p99 ${latency.p99Ms}ms`,
    `${percentText(accuracy)} % right`,
    `labels after ${roughDuration(labelsAfterMs)} in the mean${labelsMissing > 0 ? `, ${percentText(labelsMissing)} % never` : ''}`,
  ].join(', ');
}

function canaryText({ canary }: RehearsalRequest): string {
  const { errors, accuracy, latencyRatio, deadAfterMs } = canary;
  const points = (fraction: number): string => `${fraction > 0 ? '+' : ''}${percentText(fraction)} points`;
  const parts = [
    ...(errors === 0 ? [] : [`errors ${points(errors)}`]),
    ...(accuracy === 0 ? [] : [`accuracy ${points(accuracy)}`]),
    ...(latencyRatio === 1 ? [] : [`latency x${Number(latencyRatio.toPrecision(4))}`]),
    ...(deadAfterMs === null ? [] : [`dead after ${roughDuration(deadAfterMs)}`]),
  ];
  return parts.length === 0 ? 'as good as stable' : parts.join(', ');
}

function endRows({ withinMs }: RehearsalRequest, { ends }: RehearsalReport): string[][] {
  return REHEARSAL_ENDS.filter((end) => ends[end].count > 0 || end === 'promoted' || end === 'rolled-back').map(
    (end) => {
      const { interval, share, time }: Chance = ends[end];
      const word = end === 'undecided' ? `undecided after ${roughDuration(withinMs)}` : END_WORDS[end];
      const times = end === 'undecided' ? ['', ''] : [timeText(time?.median), timeText(time?.p90)];
      return [word, `${chanceText(share)} %`, `[${interval.map(chanceText).join(', ')}]`, ...times];
    },
  );
}

function stepRow({ spec }: RehearsalRequest, { runs }: RehearsalReport, step: RehearsedStep): string[] {
  const planned = spec.steps[step.step];
  return [
    String(step.step + 1),
    planned?.kind === 'traffic' ? weightsText(planned.weights) : '',
    `${chanceText(step.reached / runs)} %`,
    timeText(step.time?.median),
    timeText(step.time?.p90),
    step.lastChecks.length > 0 ? sharesText(step.lastChecks) : waitedText(step),
  ];
}

/** Where no check was waited for: the step's least duration, as a rule. */
function waitedText({ waitedFor: [first] }: RehearsedStep): string {
  if (!first) return '-';
  return first.name === 'min-duration' ? 'its least duration' : first.name;
}

function conclusion({ weakestCheck, rolledBackBy, sinceFault }: RehearsalReport): string {
  const sentences: string[] = [];
  if (weakestCheck)
    sentences.push(
      `The weakest check is ${checkName(weakestCheck.name)}: steps wait for it ${chanceText(weakestCheck.share)} % of the time.`,
    );
  if (rolledBackBy.length > 0) sentences.push(`Rolled back by ${sharesText(rolledBackBy)}.`);
  if (sinceFault) {
    const { time, canaryPredictions } = sinceFault;
    sentences.push(
      `From its death to the rollback: ${seconds(time.median)} (90 %: ${seconds(time.p90)}), ${countText(canaryPredictions.median)} predictions of the canary (90 %: ${countText(canaryPredictions.p90)}).`,
    );
  }
  return sentences.length > 0 ? sentences.join(' ') : 'No check was waited for.';
}

const SHOWN_MAX = 3;

function sharesText(shares: readonly Shared[]): string {
  return shares
    .slice(0, SHOWN_MAX)
    .map(({ name, share }) => `${name === 'step-time-over' ? 'atMost' : checkName(name)} ${chanceText(share)} %`)
    .join(', ');
}

const timeText = (ms: number | undefined): string =>
  ms === undefined ? '-' : ms < 10_000 ? seconds(ms) : roughDuration(ms);
const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(2))}s`;
/** .1234 -> `12.3`. */
const chanceText = (share: number): string => percentText(share, 1);
