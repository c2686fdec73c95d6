import {
  type Chance,
  REHEARSAL_ENDS,
  type RehearsalEnd,
  type RehearsalReport,
  type RehearsalRequest,
  type RehearsedStep,
  type Shared,
  type Spread,
} from '@app/shared';
import { adviceOf } from './advice.js';
import type { RunRecord } from './rehearse-once.js';
import { rehearsedSpec } from './rehearsed-spec.js';
import type { StepRecord } from './step-watch.js';

/** What `runs` came to. `abandoned` of those begun were not waited for. */
export function reportOf(
  request: RehearsalRequest,
  runs: readonly RunRecord[],
  { elapsedMs, abandoned }: Pick<RehearsalReport, 'elapsedMs' | 'abandoned'>,
): RehearsalReport {
  const rolledBack = runs.filter(({ end }) => end === 'rolled-back');
  const report = {
    runs: runs.length,
    elapsedMs,
    seed: request.seed,
    abandoned,
    ends: Object.fromEntries(REHEARSAL_ENDS.map((end) => [end, chanceOf(runs, end)])) as RehearsalReport['ends'],
    sinceFault: sinceFault(request.canary.deadAfterMs, rolledBack),
    rolledBackBy: sharesOf(rolledBack.map((run) => run.rolledBackBy)),
    steps: stepsOf(request, runs),
    weakestCheck: weakestOf(runs.flatMap(({ steps }) => steps)),
    notes: rehearsedSpec(request.spec).notes,
  };
  return { ...report, advice: adviceOf(request, report) };
}

function chanceOf(runs: readonly RunRecord[], end: RehearsalEnd): Chance {
  const such = runs.filter((run) => run.end === end);
  return {
    count: such.length,
    share: runs.length === 0 ? 0 : such.length / runs.length,
    interval: wilson95(such.length, runs.length),
    time: spreadOf(such.map(({ atMs }) => atMs)),
  };
}

function sinceFault(faultMs: number | null, rolledBack: readonly RunRecord[]): RehearsalReport['sinceFault'] {
  if (faultMs === null) return null;
  const after = rolledBack.filter(({ atMs }) => atMs >= faultMs);
  const time = spreadOf(after.map(({ atMs }) => atMs - faultMs));
  const canaryPredictions = spreadOf(after.map((run) => run.canaryPredictions));
  return time && canaryPredictions ? { time, canaryPredictions } : null;
}

function stepsOf({ spec }: RehearsalRequest, runs: readonly RunRecord[]): RehearsedStep[] {
  return spec.steps.flatMap((planned, step): RehearsedStep[] => {
    if (planned.kind !== 'traffic') return [];
    const records = runs.flatMap(({ steps }) => steps.filter((record) => record.step === step));
    const passed = records.filter((record) => record.passed);
    return [
      {
        step,
        reached: records.length,
        passed: passed.length,
        time: spreadOf(passed.map(({ durationMs }) => durationMs)),
        lastChecks: sharesOf(records.map(({ lastCheck }) => lastCheck)),
        waitedFor: sharesOf(records.map(({ waitedFor }) => waitedFor)),
      },
    ];
  });
}

/** 95 % interval of a rate of x in n (Wilson 1927); [0, 1] for n = 0. */
export function wilson95(x: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const z = 1.959964;
  const p = x / n;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n);
  return [x === 0 ? 0 : Math.max(0, middle - half), x === n ? 1 : Math.min(1, middle + half)];
}

/** Median and 90 % quantile, the smallest values with at least that share at or below them. */
function spreadOf(values: readonly number[]): Spread | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return { median: at(0.5), p90: at(0.9) };
}

/** The check that steps waited for longest, all together. */
function weakestOf(steps: readonly StepRecord[]): Shared | null {
  return (
    sharesOf(
      steps.map(({ lastCheck }) => lastCheck),
      (i) => steps[i]!.durationMs,
    )[0] ?? null
  );
}

/** How often each name is among those that are one, most frequent first; by their weights where they have some. */
function sharesOf(names: readonly (string | null)[], weight: (index: number) => number = () => 1): Shared[] {
  const counts = new Map<string, number>();
  names.forEach((name, i) => name !== null && counts.set(name, (counts.get(name) ?? 0) + weight(i)));
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts]
    .map(([name, count]) => ({ name, share: total === 0 ? 0 : count / total }))
    .sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}
