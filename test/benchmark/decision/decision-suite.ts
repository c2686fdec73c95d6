import { REFUSES_BESIDE_FLAWLESS, REFUSES_FROM_THE_FIRST } from '../../faults/scenarios/decision-cases.js';
import { ABORT_GOAL_MS, APART_GOAL_MS } from '../../faults/scenarios/decision-figures.js';
import { timeDecisions } from '../../faults/scenarios/decision-times.js';
import { quantile } from '../../faults/scenarios/figures.js';
import { say } from '../framework/context.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Row, type Section } from '../framework/report.js';
import type { Suite } from '../framework/suite.js';

const FULL = { runs: 50, runsLater: 25, aborts: 5, tables: 50 };
const SHORT = { runs: 1, runsLater: 1, aborts: 1, tables: 5 };
const PARTS = [
  ['evidence', 'evidence enough'],
  ['bucket', 'bucket and its age'],
  ['verdict', 'verdict'],
  ['decision', 'decision'],
  ['spread', 'spread to every router'],
] as const;

/** On a Kafka, a Redis, routers, an evaluator and a controller of its own, all of them processes. */
export const decisionSuite: Suite = {
  name: 'decision',
  about: 'time from a canary that fails everything, and from an abort by hand, to weight 0 everywhere',
  open: ({ options }) => Promise.resolve([{ name: 'times', run: () => decisionTimes(options) }]),
};

async function decisionTimes({ short }: BenchmarkOptions): Promise<Section> {
  const of = short ? SHORT : FULL;
  const { aborts, tables } = of;
  const cases = [
    { ...REFUSES_FROM_THE_FIRST, runs: of.runs },
    { ...REFUSES_BESIDE_FLAWLESS, runs: of.runsLater },
  ];
  const options = { cases, aborts, tables, predictionsPerSecond: 500, routers: 2 };
  const { figures } = await timeDecisions(options, { say: (line) => say(`  ${line}`), keepIn: null });
  const { faults, abortMs, apartMs } = figures;
  const failed = faults.flatMap(({ timed }) => timed).reduce((sum, one) => sum + one.failed, 0);
  return {
    title:
      'Decisions: a canary with 10 % of 500 predictions/s fails everything, beside a stable version that never fails',
    rows: [
      ...faults.flatMap(({ of: { name, runs, goalMs }, timed }) => [
        ...quantiles(
          `${name}, ${runs} times: to weight 0 at every router`,
          timed.map(({ total }) => total),
          goalMs,
        ),
        ...PARTS.flatMap(([part, words]) =>
          quantiles(
            `${name}: ${words}`,
            timed.map((one) => one[part]),
          ),
        ),
      ]),
      ...quantiles(`from an abort by hand to weight 0 at ${tables} routing tables`, abortMs, ABORT_GOAL_MS),
      row('routers that differ, at most', [Math.max(...apartMs)], 'ms', { atMost: APART_GOAL_MS }),
      row('predictions that failed', [failed], '', { exactly: 0 }),
    ],
  };
}

/** Smallest, p50, largest, and p99 in a row of its own, which the goal is about. */
function quantiles(what: string, values: readonly number[], goalMs: number | null = null): readonly Row[] {
  return [
    row(what, values, 'ms'),
    row(`${what}, p99`, [quantile(values, 0.99)], 'ms', goalMs === null ? undefined : { atMost: goalMs }),
  ];
}
