import type { BucketSummary } from '../../../apps/evaluator/src/domain/summary.js';
import { cellClass, CELL_CLASS } from '../../../apps/evaluator/src/domain/summary.js';

/** Predictions and errors of one minute, by routing time. */
export interface Window {
  n1: number;
  x1: number;
  n0: number;
  x0: number;
}

/** What others judge by: whether they would roll back now, at the end of the newest of these windows. */
export type Rival = (windows: readonly Window[]) => boolean;

const WINDOWS_IN_A_ROW = 3;

/** A fixed threshold: the canary's error rate above it in three windows in a row. */
export function fixedThreshold(errorRate: number): Rival {
  return (windows) =>
    windows.length >= WINDOWS_IN_A_ROW && windows.slice(-WINDOWS_IN_A_ROW).every(({ n1, x1 }) => x1 > errorRate * n1);
}

/** z of p = .01, one-sided. */
const Z_99 = 2.3263;
/** Fewer windows say nothing at this level. */
const WINDOWS_LEAST = 10;
const TOLERANCE = 0.25;

/**
 * Mann-Whitney's U as Kayenta's classifier uses it: each one-minute window gives one value an arm, its error rate. Of
 * all differences canary - control (n x n of them) the median is the Hodges-Lehmann estimate of the shift, and those at
 * place K = n^2/2 - z sqrt(n^2 (2n+1) / 12) from either end are its 98 % interval, so that either end has p = .01. The
 * metric is High, and the canary rolled back, if the interval's lower end is above .25 times the estimate (Kayenta's
 * tolerance, the least effect it minds). Asked after every minute from the tenth on, over all windows so far.
 */
export const mannWhitney: Rival = (windows) => {
  const n = windows.length;
  if (n < WINDOWS_LEAST) return false;
  const differences = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) differences[i * n + j] = rate1(windows[i]!) - rate0(windows[j]!);
  differences.sort();
  const lower = differences[Math.floor((n * n) / 2 - Z_99 * Math.sqrt((n * n * (2 * n + 1)) / 12))]!;
  const estimate = (differences[(n * n - 1) >> 1]! + differences[(n * n) >> 1]!) / 2;
  return lower > TOLERANCE * Math.abs(estimate);
};

/** A test for two shares on all counts so far, p = .01 one-sided, asked every minute as if it were the only time. */
export const zTest: Rival = (windows) => {
  const sum = { n1: 0, x1: 0, n0: 0, x0: 0 };
  for (const { n1, x1, n0, x0 } of windows) {
    sum.n1 += n1;
    sum.x1 += x1;
    sum.n0 += n0;
    sum.x0 += x0;
  }
  const p = (sum.x1 + sum.x0) / (sum.n1 + sum.n0);
  const difference = rate1(sum) - rate0(sum);
  return difference > Z_99 * Math.sqrt(p * (1 - p) * (1 / sum.n1 + 1 / sum.n0));
};

const rate1 = ({ n1, x1 }: Window): number => (n1 === 0 ? 0 : x1 / n1);
const rate0 = ({ n0, x0 }: Window): number => (n0 === 0 ? 0 : x0 / n0);

/** Collects final buckets in windows and asks a rival about them as minutes end. */
export class Onlooker {
  /** Seconds from the beginning of the windows to when it rolled back; Infinity: it has not. */
  failedAtS = Infinity;

  constructor(private readonly rival: Rival) {}

  ask(windows: readonly Window[], atS: number): void {
    if (this.failedAtS === Infinity && this.rival(windows)) this.failedAtS = atS;
  }
}

/** Adds a final bucket to its window. */
export function addBucket(window: Window, { versions }: BucketSummary): void {
  for (const [version, { routed, cells }] of Object.entries(versions)) {
    let errors = 0;
    for (let i = 0; i < cells.keys.length; i++)
      if (cellClass(cells.keys[i]!) === CELL_CLASS.error) errors += cells.counts[i]!;
    if (version === 'v2') {
      window.n1 += routed;
      window.x1 += errors;
    } else {
      window.n0 += routed;
      window.x0 += errors;
    }
  }
}
