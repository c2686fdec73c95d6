import { type Api, type CheckResult, checkTitle, isCeiling, type Verdict } from '@app/shared';
import type { Colors } from '../terminal.js';
import { countText, differenceText, intervalText, limitText, timeText, valueText, whoText } from './figures.js';
import { decisionText, forecastText, resultText, statusText } from './model-view.js';

/** Why a model stands where it stands: the last decision, and the evidence of every check in words. */
export function explainLines(view: Api['ModelView'], nowMs: number, colors: Colors): string[] {
  const { state, verdict } = view;
  const lines = [`${state.model}: ${statusText(state, nowMs, colors)}`];
  const last = state.decisions.at(-1);
  if (last) lines.push(`Last decision, ${timeText(last.at, nowMs)}, by ${whoText(last)}: ${decisionText(last)}`);
  if (state.rollout?.held)
    lines.push(`Nothing moves since ${timeText(state.rollout.held.since, nowMs)}: ${state.rollout.held.text}`);
  if (!verdict) return [...lines, 'There is no verdict yet.'];
  const upTo = verdict.asOf > 0 ? `up to ${timeText(verdict.asOf, nowMs)}` : 'so far';
  lines.push(
    `The data ${upTo} says ${colors.bold(verdict.result)}: ${verdict.reason.text}`,
    combinedText(verdict),
    '',
    ...verdict.checks.flatMap((check) => checkLines(check, colors)),
  );
  if (verdict.result === 'continue' || verdict.result === 'inconclusive') lines.push(stillToGo(verdict));
  return lines;
}

function combinedText({ evidence, counted }: Verdict): string {
  const against = Math.exp(evidence.lnE);
  const limit = Math.exp(evidence.lnLimit);
  return (
    `In this step ${countText(counted.canary)} canary and ${countText(counted.stable)} stable predictions count. ` +
    `Evidence against the canary over all checks: ${factorText(against)}; it is rolled back at ${factorText(limit)}.`
  );
}

function checkLines(check: CheckResult, colors: Colors): string[] {
  const { stable, canary, unit, evidence } = check;
  const lines = [
    `${colors.bold(checkTitle(check))}: ${resultText(check, colors)}${check.gating ? '' : ' (a pass does not wait for it)'}`,
  ];
  const control = stable ? `stable ${valueText(stable.value, unit)} (${countText(stable.n)}), ` : '';
  lines.push(`  ${control}canary ${valueText(canary.value, unit)} (${countText(canary.n)}), limit ${limitText(check)}`);
  if (check.difference !== null && !isCeiling(check))
    lines.push(
      `  difference ${differenceText(check.difference, unit)}, 95 % interval ${intervalText(check.interval, unit) || 'not known yet'}`,
    );
  const sides = [
    evidence.fail === null ? '' : `beyond the limit ${factorText(Math.exp(evidence.fail))}`,
    evidence.pass === null ? '' : `within it ${factorText(Math.exp(evidence.pass))}`,
  ].filter((side) => side !== '');
  if (sides.length > 0) lines.push(`  evidence that it is ${sides.join(', that it is ')}`);
  if (check.result === 'continue' && check.gating)
    lines.push(
      check.predictionsToGo === null
        ? '  no pass in sight at this rate'
        : `  about ${countText(check.predictionsToGo)} more canary predictions until a pass`,
    );
  return lines;
}

/** Evidence is a factor: how many times better one explanation fits than the other. */
function factorText(factor: number): string {
  if (factor >= 1_000_000) return 'over a million : 1';
  return factor >= 100 ? `${countText(factor)} : 1` : `${Number(factor.toPrecision(2))} : 1`;
}

function stillToGo(verdict: Verdict): string {
  const { predictionsToGo } = verdict.forecast;
  const unknown = verdict.checks.some((check) => check.gating && check.result === 'no-data');
  if (verdict.counted.canary === 0 || unknown) return `Still awaited: ${forecastText(verdict)}.`;
  if (predictionsToGo === null)
    return 'At this traffic no pass is in sight: more traffic, or a larger share, is needed.';
  return `Still to go: about ${countText(predictionsToGo)} predictions, ${forecastText(verdict)}.`;
}
