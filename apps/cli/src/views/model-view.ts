import {
  type Api,
  type CheckResult,
  checkTitle,
  type Decision,
  type RolloutState,
  statusWord,
  type Verdict,
} from '@app/shared';
import type { Colors, Screen } from '../terminal.js';
import {
  countText,
  differenceText,
  intervalText,
  limitText,
  percentText,
  sinceText,
  timeText,
  valueText,
  weightsText,
} from './figures.js';
import { tableLines, wrapped } from './table.js';

const LABEL_WIDTH = 11;

/** The page of `get`: name and status, weights set and as they came out, every check, the last decision. */
export function modelLines(view: Api['ModelView'], nowMs: number, { colors, columns }: Screen): string[] {
  const { state, verdict } = view;
  const lines = [headLine('NAME', state.model, 'STATUS', statusText(state, nowMs, colors))];
  lines.push(headLine('WEIGHT', weightText(view), 'NEXT', nextText(view, nowMs)));
  if (verdict && verdict.checks.length > 0)
    lines.push(
      ...tableLines(
        ['CHECK', 'stable', 'canary', 'difference [95% interval]', 'LIMIT', 'n', 'VERDICT'],
        verdict.checks.map((check) => checkRow(check, colors)),
      ),
    );
  const held = state.rollout?.held;
  if (held) lines.push(...labelled('HELD', `${held.text} (for ${sinceText(nowMs - held.since)})`, columns));
  // What holds it stands in the line above already.
  const last = state.decisions.findLast((decision) => !(held && decision.action === 'held'));
  if (last) lines.push(...labelled('LAST', `${timeText(last.at, nowMs)} ${decisionText(last)}`, columns));
  return lines;
}

/** A long text beside its label, wrapped where there is a screen. */
function labelled(label: string, text: string, columns: number | undefined): string[] {
  const lines = wrapped(text, columns === undefined ? Infinity : columns - LABEL_WIDTH);
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line}`);
}

function headLine(label: string, value: string, second: string, text: string): string {
  const left = `${label.padEnd(LABEL_WIDTH)}${value}`;
  return text === '' ? left : `${left.padEnd(30)}  ${second}  ${text}`;
}

/** `Progressing (step 2/4, 12m)`. */
export function statusText(state: RolloutState, nowMs: number, colors: Colors): string {
  const { rollout } = state;
  if (!rollout) return 'Stable (no rollout yet)';
  const word = statusWord(rollout.status);
  switch (rollout.status) {
    case 'promoted':
      return `${colors.green(word)} (${rollout.canary})`;
    case 'rolled-back':
    case 'aborted':
      return `${colors.red(word)} (${rollout.canary} at step ${rollout.step + 1}/${rollout.spec.steps.length})`;
    case 'waiting-ready':
    case 'progressing':
    case 'paused': {
      const coloured = rollout.status === 'paused' ? colors.yellow(word) : colors.cyan(word);
      return `${coloured} (step ${rollout.step + 1}/${rollout.spec.steps.length}, ${sinceText(nowMs - rollout.stepStartedAt)})`;
    }
  }
}

function weightText({ state, verdict }: Api['ModelView']): string {
  const canary = state.canary;
  if (!canary || state.weights[canary] === undefined) return weightsText(state.weights);
  const { shadow } = state;
  if (shadow) return `${shadow.version} in shadow, copies of ${percentText(shadow.fraction)} %${copiesText(verdict)}`;
  const set = `${canary} set ${percentText(state.weights[canary])}`;
  const { counted } = verdict ?? {};
  const n = counted ? counted.stable + counted.canary : 0;
  if (!counted || n === 0) return set;
  return `${set} · actual ${percentText(counted.canary / n, 1)} (n=${countText(n)})`;
}

function copiesText(verdict: Verdict | null): string {
  return verdict && verdict.counted.canary > 0 ? ` (n=${countText(verdict.counted.canary)})` : '';
}

/** What is waited for; a person is told what to type. */
function nextText({ state, verdict }: Api['ModelView'], nowMs: number): string {
  const { rollout } = state;
  switch (rollout?.status) {
    case 'waiting-ready':
      return `${rollout.canary} must be ready`;
    case 'paused':
      return rollout.pause?.until === undefined
        ? `a person: canaryctl promote, resume or abort ${state.model}`
        : `goes on in ${sinceText(rollout.pause.until - nowMs)}`;
    case 'progressing':
      return verdict ? forecastText(verdict) : 'the first verdict';
    case 'promoted':
    case 'rolled-back':
    case 'aborted':
    case undefined:
      return '';
  }
}

/** When a pass is to be expected. */
export function forecastText({ forecast, counted, checks }: Verdict): string {
  if (counted.canary === 0) return 'the first predictions that count, after the warm-up';
  const unknown = checks.filter((check) => check.gating && check.result === 'no-data');
  if (unknown.length > 0) return `data on ${unknown.map(checkTitle).join(', ')}`;
  if (forecast.minutesToGo === null) return 'not at this traffic';
  return forecast.minutesToGo < 1
    ? 'verdict within a minute'
    : `verdict about ${sinceText(forecast.minutesToGo * 60_000)}`;
}

function checkRow(check: CheckResult, colors: Colors): string[] {
  const { unit } = check;
  return [
    checkTitle(check),
    valueText(check.stable?.value, unit),
    valueText(check.canary.value, unit),
    `${differenceText(check.difference, unit)} ${intervalText(check.interval, unit)}`.trim(),
    limitText(check),
    countText(check.canary.n),
    resultText(check, colors),
  ];
}

export function resultText(check: CheckResult, colors: Colors): string {
  switch (check.result) {
    case 'pass':
      return colors.green('pass');
    case 'fail':
      return colors.red('FAIL');
    case 'continue':
      return check.gating ? '? undecided' : 'watching';
    case 'no-data':
      return colors.dim('not compared yet');
  }
}

export function decisionText(decision: Decision): string {
  return `${decision.action.replaceAll('-', ' ')}: ${decision.reason.text}`;
}
