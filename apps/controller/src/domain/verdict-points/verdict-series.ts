import type { PointCheck, VerdictPoint } from './verdict-point.js';

/** A rollout's verdicts over time, column by column; every list has one entry for each of `at`. */
export interface VerdictSeries {
  readonly at: readonly number[];
  readonly step: readonly number[];
  readonly result: readonly VerdictPoint['result'][];
  readonly code: readonly string[];
  /** Evidence over all checks against the canary, and the line at which it is rolled back, both as logarithms. */
  readonly lnE: readonly number[];
  readonly lnLimit: readonly number[];
  readonly stable: readonly number[];
  readonly canary: readonly number[];
  readonly checks: readonly CheckSeries[];
}

type Column<T> = readonly (T | null)[];

/** One check; null where a verdict does not have it. */
export interface CheckSeries {
  readonly check: string;
  readonly segment: string | null;
  readonly unit: PointCheck['unit'];
  readonly gating: boolean;
  readonly result: Column<PointCheck['result']>;
  readonly limit: Column<number>;
  readonly n: Column<number>;
  readonly stable: Column<number>;
  readonly canary: Column<number>;
  readonly difference: Column<number>;
  readonly low: Column<number>;
  readonly high: Column<number>;
  readonly fail: Column<number>;
  readonly pass: Column<number>;
}

/** At most about `most` points: the first, the last and every change of step or result, and of the rest each n-th. */
export function thinned(points: readonly VerdictPoint[], most: number): readonly VerdictPoint[] {
  if (points.length <= most) return points;
  const every = Math.ceil(points.length / most);
  const isChange = (i: number): boolean => {
    const [point, next] = [points[i]!, points[i + 1]];
    return next === undefined || point.step !== next.step || point.result !== next.result;
  };
  return points.filter((_, i) => i % every === 0 || isChange(i));
}

export function verdictSeries(points: readonly VerdictPoint[]): VerdictSeries {
  return {
    at: points.map(({ at }) => at),
    step: points.map(({ step }) => step),
    result: points.map(({ result }) => result),
    code: points.map(({ code }) => code),
    lnE: points.map(({ lnE }) => lnE),
    lnLimit: points.map(({ lnLimit }) => lnLimit),
    stable: points.map(({ counted }) => counted.stable),
    canary: points.map(({ counted }) => counted.canary),
    checks: checkSeries(points),
  };
}

/** In the order in which they first appear. A guard inside a segment changes its segment over time: one line for each. */
function checkSeries(points: readonly VerdictPoint[]): CheckSeries[] {
  const keyOf = ({ check, segment }: PointCheck): string => `${check}|${segment ?? ''}`;
  const byPoint = points.map(({ checks }) => new Map(checks.map((check) => [keyOf(check), check])));
  const newest = new Map<string, PointCheck>();
  for (const checks of byPoint) for (const [key, check] of checks) newest.set(key, check);
  return [...newest].map(([key, { check, segment, unit, gating }]) => {
    const column = <K extends keyof PointCheck>(field: K): (PointCheck[K] | null)[] =>
      byPoint.map((checks) => checks.get(key)?.[field] ?? null);
    return {
      check,
      segment,
      unit,
      gating,
      result: column('result'),
      limit: column('limit'),
      n: column('n'),
      stable: column('stable'),
      canary: column('canary'),
      difference: column('difference'),
      low: column('low'),
      high: column('high'),
      fail: column('fail'),
      pass: column('pass'),
    };
  });
}
