import { checkTitle, isCeiling } from '@app/words';
import { passText } from './awaited.js';
import { countText, differenceText, evidenceText, hasLimit, intervalText, limitText, valueText } from './figures.js';
import type { CheckResult, Verdict } from './records.js';
import { sentence } from './sentence.js';

/** A check in words: what was seen, how sure that is, and what follows from it. */
export interface ExplainedCheck {
  readonly key: string;
  readonly title: string;
  readonly result: CheckResult['result'];
  readonly sentences: readonly string[];
}

export interface Explanation {
  /** What the data says as a whole. */
  readonly sentences: readonly string[];
  readonly checks: readonly ExplainedCheck[];
}

export function explain(verdict: Verdict, versions: { readonly stable: string; readonly canary: string }): Explanation {
  const { evidence, counted, reason, result } = verdict;
  const sentences = [
    sentence(reason.text, [versions.stable, versions.canary]),
    `In this step ${countText(counted.canary)} predictions of ${versions.canary} and ${countText(counted.stable)} of ${versions.stable} count.`,
    `Evidence against ${versions.canary} over all checks: ${evidenceText(evidence.lnE)}; at ${evidenceText(evidence.lnLimit)} it is rolled back.`,
  ];
  if (result === 'continue' || result === 'inconclusive') sentences.push(passText(verdict));
  return { sentences, checks: verdict.checks.map((check) => explainCheck(check, versions)) };
}

function explainCheck(
  check: CheckResult,
  versions: { readonly stable: string; readonly canary: string },
): ExplainedCheck {
  return {
    key: `${check.check}|${check.segment ?? ''}`,
    title: checkTitle(check),
    result: check.result,
    sentences: [seenText(check, versions), ...sureText(check), ...nextText(check)],
  };
}

function seenText(
  check: CheckResult,
  { stable, canary }: { readonly stable: string; readonly canary: string },
): string {
  const { unit } = check;
  if (check.canary.value === null) return `Nothing is known of ${canary} yet.`;
  const own = `${canary} has ${valueText(check.canary.value, unit)} (${countText(check.canary.n)} counted)`;
  if (!check.stable || check.stable.value === null) return `${own}.`;
  return `${own}, ${stable} has ${valueText(check.stable.value, unit)} (${countText(check.stable.n)}).`;
}

function sureText(check: CheckResult): string[] {
  const { unit, difference, interval } = check;
  const limit = hasLimit(check) ? `The limit is ${limitText(check)}.` : 'Its limit is not known yet.';
  if (difference === null || isCeiling(check)) return [limit];
  const range = interval ? `; with 95 % certainty at every look it lies between ${intervalText(interval, unit).replace(' to ', ' and ')}` : ''; // prettier-ignore
  return [`The difference is ${differenceText(difference, unit)}${range}. ${limit}`];
}

function nextText({ result, gating, evidence, predictionsToGo }: CheckResult): string[] {
  const sides: string[] = [];
  if (evidence.fail !== null) sides.push(`that it is beyond the limit: ${evidenceText(evidence.fail)}`);
  if (evidence.pass !== null) sides.push(`that it is within it: ${evidenceText(evidence.pass)}`);
  const sentences = sides.length === 0 ? [] : [`Evidence ${sides.join('; ')}.`];
  if (!gating) sentences.push('A pass does not wait for it.');
  else if (result === 'continue')
    sentences.push(
      predictionsToGo === null
        ? 'At this rate no pass is in sight.'
        : `About ${countText(predictionsToGo)} more canary predictions until it passes.`,
    );
  return sentences;
}
