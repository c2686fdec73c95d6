import { type DecisionFigures, timeDecisions } from '../../faults/scenarios/decision-times.js';
import { quantile } from '../../faults/scenarios/figures.js';
import { say } from '../framework/context.js';
import type { BenchmarkOptions } from '../framework/options.js';
import { row, type Row, type Section } from '../framework/report.js';
import type { Suite } from '../framework/suite.js';

const FULL = { runs: 50, aborts: 5, tables: 50 };
const SHORT = { runs: 1, aborts: 1, tables: 5 };
const PARTS = [
  ['evidence', 'evidence enough'],
  ['bucket', 'bucket and its age'],
  ['verdict', 'verdict'],
  ['decision', 'decision'],
  ['spread', 'spread to every router'],
] as const;
const GOAL_MS = 1_000;
const ABORT_GOAL_MS = 100;

/** On a Kafka, a Redis, routers, an evaluator and a controller of its own, all of them processes. */
export const decisionSuite: Suite = {
  name: 'decision',
  about: 'time from a canary that fails everything, and from an abort by hand, to weight 0 everywhere',
  open: ({ options }) => Promise.resolve([{ name: 'times', run: () => decisionTimes(options) }]),
};

async function decisionTimes({ short }: BenchmarkOptions): Promise<Section> {
  const of = short ? SHORT : FULL;
  const options = { ...of, faults: ['refuses'], predictionsPerSecond: 500, routers: 2 } as const;
  const { figures } = await timeDecisions(options, { say: (line) => say(`  ${line}`), keepIn: null });
  const { byFault, abortMs, apartMs } = figures;
  const timed = byFault.refuses ?? [];
  const failed = timed.reduce((sum, one) => sum + one.failed, 0);
  return {
    title: `Decisions: a canary with 10 % of 500 predictions/s that fails everything, ${of.runs} times`,
    rows: [
      ...quantiles(
        'to weight 0 at every router',
        timed.map(({ total }) => total),
        GOAL_MS,
      ),
      ...PARTS.flatMap(([part, words]) =>
        quantiles(
          `of these, ${words}`,
          timed.map((one) => one[part]),
        ),
      ),
      ...quantiles(`from an abort by hand to weight 0 at ${of.tables} routing tables`, abortMs, ABORT_GOAL_MS),
      row('routers that differ, at most', [Math.max(...apartMs)], 'ms', { atMost: GOAL_MS }),
      row('predictions that failed', [failed], '', { exactly: 0 }),
    ],
  };
}

/** Smallest, p50, largest, and p99 in a row of its own, which the goal is about. */
function quantiles(what: string, values: DecisionFigures['abortMs'], goalMs?: number): readonly Row[] {
  return [
    row(what, values, 'ms'),
    row(`${what}, p99`, [quantile(values, 0.99)], 'ms', goalMs === undefined ? undefined : { atMost: goalMs }),
  ];
}
