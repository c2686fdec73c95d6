import type { CheckResult, Verdict, VerdictResult } from '@app/shared';

/** A verdict as a chart shows it: its figures, without where it came from. */
export interface VerdictPoint {
  /** Log time it rests on, ms. */
  readonly at: number;
  readonly step: number;
  readonly generation: number;
  readonly result: VerdictResult;
  readonly code: string;
  readonly lnE: number;
  readonly lnLimit: number;
  readonly counted: { readonly stable: number; readonly canary: number };
  readonly checks: readonly PointCheck[];
}

export interface PointCheck {
  readonly check: string;
  readonly segment: string | null;
  readonly unit: CheckResult['unit'];
  readonly gating: boolean;
  readonly result: CheckResult['result'];
  readonly limit: number;
  /** The canary's predictions (or labels) that count. */
  readonly n: number;
  readonly stable: number | null;
  readonly canary: number | null;
  readonly difference: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly fail: number | null;
  readonly pass: number | null;
}

const DIGITS = 5;
const rounded = (value: number): number => Number(value.toPrecision(DIGITS));
const roundedOrNull = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : rounded(value);

export function pointOf(verdict: Verdict): VerdictPoint {
  const { asOf, step, generation, result, reason, evidence, counted, checks } = verdict;
  return {
    at: asOf,
    step,
    generation,
    result,
    code: reason.code,
    lnE: rounded(evidence.lnE),
    lnLimit: rounded(evidence.lnLimit),
    counted,
    checks: checks.map((check) => ({
      check: check.check,
      segment: check.segment ?? null,
      unit: check.unit,
      gating: check.gating,
      result: check.result,
      limit: rounded(check.limit),
      n: check.canary.n,
      stable: roundedOrNull(check.stable?.value),
      canary: roundedOrNull(check.canary.value),
      difference: roundedOrNull(check.difference),
      low: roundedOrNull(check.interval?.[0]),
      high: roundedOrNull(check.interval?.[1]),
      fail: roundedOrNull(check.evidence.fail),
      pass: roundedOrNull(check.evidence.pass),
    })),
  };
}

/** Names are most of a point's bytes, so it is kept as a list. */
export function encodePoint(point: VerdictPoint): string {
  const { at, step, generation, result, code, lnE, lnLimit, counted, checks } = point;
  const head = [1, at, step, generation, result, code, lnE, lnLimit, counted.stable, counted.canary];
  return JSON.stringify([...head, checks.map((check) => CHECK_FIELDS.map((field) => check[field]))]);
}

const CHECK_FIELDS = ['check', 'segment', 'unit', 'gating', 'result', 'limit', 'n', 'stable', 'canary', 'difference', 'low', 'high', 'fail', 'pass'] as const satisfies readonly (keyof PointCheck)[]; // prettier-ignore

/** Null: written by another version of this program, or by somebody else. */
export function decodePoint(text: string): VerdictPoint | null {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(list) || list[0] !== 1 || !Array.isArray(list[10])) return null;
  const [, at, step, generation, result, code, lnE, lnLimit, stable, canary, checks] = list as [
    1, number, number, number, VerdictResult, string, number, number, number, number, unknown[][],
  ]; // prettier-ignore
  return {
    at,
    step,
    generation,
    result,
    code,
    lnE,
    lnLimit,
    counted: { stable, canary },
    checks: checks.map((values) =>
      Object.fromEntries(CHECK_FIELDS.map((field, i) => [field, values[i]])),
    ) as unknown as PointCheck[],
  };
}
