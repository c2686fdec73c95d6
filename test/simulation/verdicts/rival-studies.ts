import type { RolloutSpec } from '@app/shared';
import type { Summary } from '../../../apps/evaluator/src/domain/summary.js';
import { lognormal, type Random } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { stickyUsers } from '../../../apps/evaluator/src/rehearsal/users.js';
import { addBucket, fixedThreshold, mannWhitney, Onlooker, type Rival, type Window, zTest } from './rivals.js';
import { figures, PER_SECOND, rollOut } from './rollouts.js';
import { arm, MEDIAN_MS, rolloutSpec, traffic } from './scenarios.js';
import { mean, type Run, type RunFigures, type Study } from './study.js';

const BASE = 0.05;
const MINUTES = 30;
const LONGEST_S = MINUTES * 60;
/** An answer belongs to the minute it was routed in; by then it has come. */
const SETTLED_S = 1;
/** Stable's usual rate and the point that our limits mostly allow. */
const THRESHOLD = 0.06;

const RIVALS: Readonly<Record<string, Rival>> = {
  threshold: fixedThreshold(THRESHOLD),
  'Mann-Whitney': mannWhitney,
  'z-test': zTest,
};
const OURS = 'ours';
const NAMES = [OURS, ...Object.keys(RIVALS)];

/** One stream of errors at 10 %, judged by our strict check and by each rival; nobody's word ends it. */
function judgeStream(of: Run, model: TrafficModel): RunFigures {
  const windows: Window[] = [];
  const onlookers = Object.entries(RIVALS).map(([name, rival]) => ({ name, onlooker: new Onlooker(rival) }));
  let asked = 0;
  let oursAtS = Infinity;
  let beganMs: number | null = null;
  const hear = (summary: Summary, atS: number): void => {
    while (atS > (asked + 1) * 60 + SETTLED_S) {
      asked++;
      for (const { onlooker } of onlookers) onlooker.ask(windows.slice(0, asked), asked * 60);
    }
    if (summary.kind !== 'bucket' || !summary.final || summary.generation < 2) return;
    beganMs ??= summary.routedFrom;
    // The bucket that is final first need not be the first one.
    const minute = Math.max(0, Math.floor((summary.routedFrom - beganMs) / 60_000));
    while (windows.length <= minute) windows.push({ n1: 0, x1: 0, n0: 0, x0: 0 });
    addBucket(windows[minute]!, summary);
  };
  const end = rollOut(of, {
    traffic: model,
    spec: STRICT_ERRORS,
    longestS: LONGEST_S + 2 * SETTLED_S,
    deaf: true,
    onFold: hear,
    watch: ({ result }, atS) => {
      if (result === 'fail') oursAtS = Math.min(oursAtS, atS);
    },
  });
  const { compared, differing } = figures(end);
  const times = Object.fromEntries(onlookers.map(({ name, onlooker }) => [name, onlooker.failedAtS]));
  return { compared: compared!, differing: differing!, ...times, [OURS]: oursAtS };
}

const STRICT_ERRORS: RolloutSpec = rolloutSpec({
  warmup: { predictions: 0, durationMs: 0 },
  checks: { errorRate: { maxIncrease: 0.01, max: 0.5, strict: true } },
});

const rolledBack = (runs: readonly RunFigures[], name: string): readonly RunFigures[] =>
  runs.filter((run) => run[name]! < Infinity);

function honest(name: string, model: (seed: number) => TrafficModel): Study {
  return {
    group: `the same streams judged by others: false rollbacks within ${MINUTES} minutes (errors 5 %, canary 10 %, 500/s)`,
    name,
    target: 'ours at most 1 %',
    runs: { short: 1, normal: 40, full: 400 },
    chunk: 2,
    run: (of) => judgeStream(of, model(of.seed)),
    summarise: (runs) => {
      const share = (who: string): number => rolledBack(runs, who).length / runs.length;
      const measured = NAMES.map((who) => `${who} ${(100 * share(who)).toFixed(0)} %`).join(', ');
      return { measured, ok: share(OURS) <= 0.01 };
    },
  };
}

function worse(points: number): Study {
  const model = both(() => BASE, points / 100);
  return {
    group: 'the same, of canaries that fail more: minutes to the rollback, in the mean of those rolled back',
    name: `errors +${points} points`,
    target: 'ours the soonest',
    runs: { short: 1, normal: 40, full: 400 },
    chunk: 2,
    run: (of) => judgeStream(of, model),
    summarise: (runs) => {
      const text = (who: string): string => {
        const seen = rolledBack(runs, who);
        if (seen.length === 0) return `${who} never`;
        const minutes = (mean(seen, who) / 60).toFixed(1);
        return `${who} ${minutes}${seen.length < runs.length ? ` (${seen.length} of ${runs.length})` : ''}`;
      };
      return { measured: NAMES.map(text).join(', '), ok: null };
    },
  };
}

function both(errorRate: (atS: number) => number, extra = 0): TrafficModel {
  const one = (more: number) =>
    arm({
      errorRate: (atS, propensity) => Math.min(1, (errorRate(atS) + more) * propensity),
      latencyMs: (random) => lognormal(random, MEDIAN_MS, 0.5),
    });
  return traffic(PER_SECOND, { stable: one(0), canary: one(extra) });
}

/** Our check beside what else is in use, on the same predictions. */
export function rivalStudies(usersOf: (seed: number) => Random): Study[] {
  return [
    honest('steady', () => both(() => BASE)),
    honest('base rate drifts from 5 to 10 %', () => both((s) => BASE * (1 + Math.max(0, Math.min(1, s / LONGEST_S))))),
    honest('2,000 sticky users, heavy-tailed', (seed) => ({
      ...both(() => BASE),
      users: stickyUsers(2000, usersOf(seed)),
    })),
    ...[1, 2, 5].map(worse),
  ];
}
