/** What one run of a study came to; the figures are the study's own. */
export type RunFigures = Readonly<Record<string, number>>;

/** How many runs: to see that nothing is broken, for a table, for a publication. */
export const SIZES = ['short', 'normal', 'full'] as const;
export type Size = (typeof SIZES)[number];

/** One run. */
export interface Run {
  readonly seed: number;
  /** Its predictions go through the real slots as records; kernels alone have none. */
  readonly throughSlots: boolean;
}

/** Something simulated again and again, and what it should come to. */
export interface Study {
  readonly group: string;
  readonly name: string;
  readonly target: string;
  readonly runs: Readonly<Record<Size, number>>;
  /** Why the target is known to be missed: shown, and no failure. */
  readonly missedBecause?: string;
  /** Runs that one worker takes at once. */
  readonly chunk: number;
  run(of: Run): RunFigures;
  /** The figure for the table, and whether it is what it should be; null: only shown. */
  summarise(runs: readonly RunFigures[]): { readonly measured: string; readonly ok: boolean | null };
}

export function mean(runs: readonly RunFigures[], figure: string): number {
  return runs.reduce((sum, run) => sum + run[figure]!, 0) / runs.length;
}

/** Standard error of the mean. */
export function standardError(runs: readonly RunFigures[], figure: string): number {
  const m = mean(runs, figure);
  const squares = runs.reduce((sum, run) => sum + (run[figure]! - m) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, runs.length - 1) / runs.length);
}

export function quantile(runs: readonly RunFigures[], figure: string, share: number): number {
  const sorted = runs.map((run) => run[figure]!).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** Two-sided 95 % interval of a rate of x in n (Wilson). */
export function interval95(x: number, n: number): readonly [number, number] {
  const z = 1.96;
  const p = x / n;
  const middle = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [(middle - half) / (1 + (z * z) / n), (middle + half) / (1 + (z * z) / n)];
}

export const percentText = (share: number): string => `${(100 * share).toFixed(2)} %`;

export function thousands(value: number): string {
  return value >= 10_000
    ? `${(value / 1000).toFixed(1)}k`
    : value >= 1000
      ? `${(value / 1000).toFixed(2)}k`
      : value.toFixed(0);
}

/** Enough runs to show a rate below its bound, should it be half of it. */
const runsToShow = (bound: number): number => 20 / bound;

/**
 * A rate of bad ends that must stay below a bound: with enough runs the whole interval must be below it, with fewer it
 * must not be above.
 */
export function rateBelow(figure: string, bound: number) {
  return (runs: readonly RunFigures[]): { measured: string; ok: boolean } => {
    const x = runs.reduce((sum, run) => sum + run[figure]!, 0);
    const n = runs.length;
    const [low, high] = interval95(x, n);
    const measured = `${x} of ${n} = ${percentText(x / n)} (95 %: up to ${percentText(high)})`;
    return { measured, ok: n >= runsToShow(bound) ? high <= bound : low <= bound };
  };
}
