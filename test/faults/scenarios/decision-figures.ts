import { CANARY_SHARE, type CanaryCase, type DecisionTimesOptions } from './decision-cases.js';
import type { TracedDecision } from './decision-trace.js';
import { quantile } from './figures.js';
import type { ScenarioResult } from './scenario.js';

/** From the order of an abort to weight 0 at every table, p99. */
export const ABORT_GOAL_MS = 100;
/** How long two routers may serve different generations. */
export const APART_GOAL_MS = 1_000;

/** One run: where its time went, and what clients saw meanwhile. */
export interface Timed extends TracedDecision {
  readonly failed: number;
  readonly failures: readonly string[];
}

/** The runs of one case. */
export interface TimedCase {
  readonly of: CanaryCase;
  readonly timed: Timed[];
}

/** In ms. */
export interface DecisionFigures {
  readonly faults: readonly { readonly of: CanaryCase; readonly timed: readonly Timed[] }[];
  readonly abortMs: readonly number[];
  /** How long routers served different generations, change by change. */
  readonly apartMs: readonly number[];
}

export interface DecisionTimes extends ScenarioResult {
  readonly figures: DecisionFigures;
}

const PARTS = ['evidence', 'bucket', 'verdict', 'decision', 'spread'] as const;
const ms = (values: readonly number[], q: number): string => `${Math.round(quantile(values, q))}`;
const both = (values: readonly number[]): string => `${ms(values, 0.5)} / ${ms(values, 0.99)}`;
const totals = (timed: readonly Timed[]): readonly number[] => timed.map(({ total }) => total);

/** So far. */
export function progressOf(run: number, faults: DecisionFigures['faults']): string {
  return `${run} runs, p50 / p99: ${faults.map(({ of, timed }) => `${of.name} ${both(totals(timed))} ms`).join(', ')}`;
}

/** What the figures say, beside their goals. */
export function resultOf(options: DecisionTimesOptions, figures: DecisionFigures): DecisionTimes {
  const { faults, abortMs, apartMs } = figures;
  const empty = new Array<string>(PARTS.length + 2).fill('-');
  const rows = faults.map(({ of, timed }) => [
    of.name,
    of.ownErrors > 0 ? `${of.ownErrors * 100} %` : 'none',
    String(timed.length),
    both(totals(timed)),
    of.goalMs === null ? '-' : String(of.goalMs),
    ...PARTS.map((part) => both(timed.map((one) => one[part]))),
    String(timed.reduce((sum, one) => sum + one.failed, 0)),
    [...new Set(timed.map(({ reason }) => reason))].join(', '),
  ]);
  if (abortMs.length > 0)
    rows.push(['abort by hand', '-', `${options.aborts} to ${options.tables} tables`, both(abortMs), String(ABORT_GOAL_MS), ...empty]); // prettier-ignore
  const apart = `${both(apartMs)}, at most ${Math.max(...apartMs)}`;
  rows.push(['routers differ', '-', `${apartMs.length} changes`, apart, String(APART_GOAL_MS), ...empty]);
  const problems = problemsOf(figures);
  const failed = faults.flatMap(({ timed }) => timed).reduce((sum, one) => sum + one.failed, 0);
  return {
    passed: problems.length === 0,
    head: ['canary', 'errors when well', 'runs', 'to weight 0, ms p50 / p99', 'goal', 'evidence', 'bucket and age', 'verdict', 'decision', 'spread', 'failed', 'told as'], // prettier-ignore
    rows,
    problems,
    summary: `${options.predictionsPerSecond} predictions/s, ${CANARY_SHARE * 100} % canary: ${problems.length === 0 ? 'all goals met' : 'goals not met'}, ${failed} predictions failed`,
    figures,
  };
}

function problemsOf({ faults, abortMs, apartMs }: DecisionFigures): readonly string[] {
  const slow = faults.flatMap(({ of, timed }) => {
    const p99 = quantile(totals(timed), 0.99);
    return of.goalMs !== null && p99 > of.goalMs ? [`${of.name}: p99 is ${Math.round(p99)} ms, goal ${of.goalMs}`] : [];
  });
  const failures = faults.flatMap(({ of, timed }) =>
    timed.flatMap((one) => one.failures.map((failure) => `${of.name}: a prediction failed: ${failure}`)),
  );
  const isAbortSlow = quantile(abortMs, 0.99) > ABORT_GOAL_MS;
  const apartMsMax = Math.max(...apartMs);
  return [
    ...slow,
    ...(isAbortSlow ? [`abort by hand: p99 is ${ms(abortMs, 0.99)} ms, goal ${ABORT_GOAL_MS}`] : []),
    ...(apartMsMax > APART_GOAL_MS ? [`routers served different generations for ${apartMsMax} ms`] : []),
    ...failures,
  ];
}
