import type { CheckResult, CheckSeries, Verdict, VerdictSeries } from './records.js';

/** Live verdicts come four times a second; one a second is drawn. */
const APART_MS = 1_000;
/** Beyond that every second of the older points goes. */
const POINTS_MAX = 1_200;

/** A series with one more verdict at its end. The same series if it is not newer. */
export function withVerdict(series: VerdictSeries, verdict: Verdict): VerdictSeries {
  if (verdict.rollout !== series.rollout || verdict.asOf <= 0 || verdict.asOf <= (series.at.at(-1) ?? 0)) return series;
  const base = replacesLast(series, verdict)
    ? picked(series, series.at.map((_, i) => i).slice(0, -1))
    : thinned(series);
  const length = base.at.length;
  const known = new Set(base.checks.map(keyOf));
  const fresh = verdict.checks.filter((check) => !known.has(keyOf(check)));
  const checks = [...base.checks, ...fresh.map((check) => emptyCheck(check, length))];
  const byKey = new Map(verdict.checks.map((check) => [keyOf(check), check]));
  return {
    ...base,
    at: [...base.at, verdict.asOf],
    step: [...base.step, verdict.step],
    result: [...base.result, verdict.result],
    code: [...base.code, verdict.reason.code],
    lnE: [...base.lnE, verdict.evidence.lnE],
    lnLimit: [...base.lnLimit, verdict.evidence.lnLimit],
    stable: [...base.stable, verdict.counted.stable],
    canary: [...base.canary, verdict.counted.canary],
    checks: checks.map((check) => withCheck(check, byKey.get(keyOf(check)))),
  };
}

/** Nobody would see the point between: same step, same result, and the one before it is close. */
function replacesLast({ at, step, result }: VerdictSeries, verdict: Verdict): boolean {
  const i = at.length - 1;
  return (
    i > 0 &&
    step[i] === verdict.step &&
    result[i] === verdict.result &&
    step[i - 1] === verdict.step &&
    result[i - 1] === verdict.result &&
    verdict.asOf - at[i - 1]! < APART_MS
  );
}

function thinned(series: VerdictSeries): VerdictSeries {
  const { at, step, result } = series;
  if (at.length < POINTS_MAX) return series;
  const half = Math.floor(at.length / 2);
  const changes = (i: number): boolean => step[i] !== step[i + 1] || result[i] !== result[i + 1];
  return picked(
    series,
    at.map((_, i) => i).filter((i) => i >= half || i % 2 === 0 || changes(i)),
  );
}

function picked(series: VerdictSeries, indexes: readonly number[]): VerdictSeries {
  const of = <T>(column: readonly T[]): T[] => indexes.map((i) => column[i]!);
  const { at, step, result, code, lnE, lnLimit, stable, canary, checks } = series;
  return {
    ...series,
    at: of(at),
    step: of(step),
    result: of(result),
    code: of(code),
    lnE: of(lnE),
    lnLimit: of(lnLimit),
    stable: of(stable),
    canary: of(canary),
    checks: checks.map((check) => mapColumns(check, of)),
  };
}

type Columns = Pick<
  CheckSeries,
  'result' | 'limit' | 'n' | 'stable' | 'canary' | 'difference' | 'low' | 'high' | 'fail' | 'pass'
>;

function mapColumns(check: CheckSeries, change: <T>(column: readonly T[], name: keyof Columns) => T[]): CheckSeries {
  return {
    ...check,
    result: change(check.result, 'result'),
    limit: change(check.limit, 'limit'),
    n: change(check.n, 'n'),
    stable: change(check.stable, 'stable'),
    canary: change(check.canary, 'canary'),
    difference: change(check.difference, 'difference'),
    low: change(check.low, 'low'),
    high: change(check.high, 'high'),
    fail: change(check.fail, 'fail'),
    pass: change(check.pass, 'pass'),
  };
}

function withCheck(series: CheckSeries, check: CheckResult | undefined): CheckSeries {
  const last: { readonly [K in keyof Columns]: unknown } = {
    result: check?.result ?? null,
    limit: check?.limit ?? null,
    n: check?.canary.n ?? null,
    stable: check?.stable?.value ?? null,
    canary: check?.canary.value ?? null,
    difference: check?.difference ?? null,
    low: check?.interval?.[0] ?? null,
    high: check?.interval?.[1] ?? null,
    fail: check?.evidence.fail ?? null,
    pass: check?.evidence.pass ?? null,
  };
  return mapColumns(series, <T>(column: readonly T[], name: keyof Columns) => [...column, last[name] as T]);
}

function emptyCheck({ check, segment, unit, gating }: CheckResult, length: number): CheckSeries {
  const nothing = Array.from({ length }, () => null);
  const names = { check, segment: segment ?? null, unit, gating };
  return { ...names, result: nothing, limit: nothing, n: nothing, stable: nothing, canary: nothing, difference: nothing, low: nothing, high: nothing, fail: nothing, pass: nothing }; // prettier-ignore
}

const keyOf = ({ check, segment }: { readonly check: string; readonly segment?: string | null }): string =>
  `${check}|${segment ?? ''}`;
