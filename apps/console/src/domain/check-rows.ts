import { checkTitle, isAgreement, isCeiling } from '@app/words';
import { countText, differenceText, evidenceText, hasLimit, intervalText, limitText, valueText } from './figures.js';
import type { CheckResult } from './records.js';

/** One check as a line of a table. */
export interface CheckRow {
  readonly key: string;
  readonly title: string;
  readonly stable: string;
  readonly canary: string;
  readonly difference: string;
  readonly interval: string;
  readonly limit: string;
  readonly n: string;
  readonly result: CheckResult['result'];
  readonly word: string;
  /** A pass waits for it. */
  readonly gating: boolean;
  readonly against: string;
  readonly within: string;
  readonly plot: IntervalPlot | null;
}

/** Difference, interval and limit on one scale from 0 (left) to 1 (right). */
export interface IntervalPlot {
  readonly zero: number | null;
  readonly limit: number;
  /** Where the canary would be beyond the limit. */
  readonly beyond: 'right' | 'left';
  readonly low: number | null;
  readonly high: number | null;
  readonly at: number;
}

/** `decided`: the verdict is made; before that a check alone does not roll back. */
export function checkRow(check: CheckResult, decided = true): CheckRow {
  const { unit, evidence } = check;
  return {
    key: `${check.check}|${check.segment ?? ''}`,
    title: checkTitle(check),
    stable: valueText(check.stable?.value, unit),
    canary: valueText(check.canary.value, unit),
    difference: isCeiling(check) || isAgreement(check) ? '' : differenceText(check.difference, unit),
    interval: intervalText(check.interval, unit),
    limit: limitText(check),
    n: countText(check.canary.n),
    result: check.result,
    word: resultWord(check, decided),
    gating: check.gating,
    against: sideText(check, evidence.fail),
    within: sideText(check, evidence.pass),
    plot: intervalPlot(check),
  };
}

/** Before there is data both sides are even, which says nothing. */
const sideText = ({ result }: CheckResult, ln: number | null): string =>
  ln === null || result === 'no-data' ? '–' : evidenceText(ln);

export function resultWord({ result, gating }: Pick<CheckResult, 'result' | 'gating'>, decided = true): string {
  switch (result) {
    case 'pass':
      return 'Within limit';
    case 'fail':
      return decided ? 'Beyond limit' : 'Looks beyond limit';
    case 'continue':
      return gating ? 'Undecided' : 'Watching';
    case 'no-data':
      return 'No data yet';
  }
}

/** Of a ceiling (and of agreement) the figure itself is drawn against its limit. */
export function intervalPlot(check: CheckResult): IntervalPlot | null {
  const itself = isCeiling(check) || isAgreement(check);
  const value = itself ? check.canary.value : check.difference;
  if (value === null || !hasLimit(check)) return null;
  const { interval, limit } = check;
  const known = itself ? [] : (interval ?? []);
  const ends = [value, limit, 0, ...known];
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  const margin = (most - least || 1) * 0.12;
  const place = (x: number): number => (x - least + margin) / (most - least + 2 * margin);
  return {
    zero: itself ? null : place(0),
    limit: place(limit),
    beyond: worseIsMore(check) ? 'right' : 'left',
    low: known.length === 2 ? place(known[0]) : null,
    high: known.length === 2 ? place(known[1]) : null,
    at: place(value),
  };
}

/** Of accuracy and of agreement less is worse; of a mean its limit says which way. */
export function worseIsMore({ check, limit, unit }: Pick<CheckResult, 'check' | 'limit' | 'unit'>): boolean {
  if (isAgreement({ check })) return false;
  if (unit === 'number') return limit > 0;
  return !/accuracy/i.test(check);
}
