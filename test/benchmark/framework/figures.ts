/** What a figure came to over the rounds of a run. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Min, median and max; NaN of nothing. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { min: sorted[0] ?? NaN, median, max: sorted.at(-1) ?? NaN };
}

/**
 * How two things that were measured in turns compare, round by round: what disturbs the machine for a while disturbs
 * both of a round, so their ratio varies less than either.
 */
export function ratioSpread(values: readonly number[], peers: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value / peers[round]!));
}

/** As ratioSpread, of differences. */
export function differenceSpread(values: readonly number[], peers: readonly number[]): Spread {
  return spreadOf(values.map((value, round) => value - peers[round]!));
}
