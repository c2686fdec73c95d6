/** Something that is measured in turns with others. */
export interface Named {
  readonly name: string;
}

/**
 * Measures contestants in turns (A B C A B C ...), after `warmUps` rounds that do not count. Returns the samples of
 * each, one a round, in the order of the rounds.
 */
export async function inTurns<C extends Named, S>(
  contestants: readonly C[],
  options: { readonly rounds: number; readonly warmUps: number },
  measure: (contestant: C) => Promise<S>,
): Promise<ReadonlyMap<string, readonly S[]>> {
  const samples = new Map<string, S[]>(contestants.map(({ name }) => [name, []]));
  for (let round = -options.warmUps; round < options.rounds; round++) {
    for (const contestant of contestants) {
      const sample = await measure(contestant);
      if (round >= 0) samples.get(contestant.name)!.push(sample);
    }
  }
  return samples;
}
