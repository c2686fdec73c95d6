import type { ValueSums } from '../arm-details.js';

/** Rollouts have at most 8 custom checks; other names are not counted. */
const NAMES_MAX = 8;
const GROUPS = 64;

interface Tally {
  n: number;
  sum: number;
  squares: number;
  readonly groupN: Float64Array;
  readonly groupSum: Float64Array;
}

/** Sums of named numbers, in all and by user group. */
export class ValueTallies {
  private readonly byName = new Map<string, Tally>();

  add(values: Readonly<Record<string, number>>, group: number): void {
    for (const name in values) {
      const tally = this.tallyOf(name);
      if (!tally) continue;
      const value = values[name]!;
      tally.n++;
      tally.sum += value;
      tally.squares += value * value;
      tally.groupN[group]!++;
      tally.groupSum[group]! += value;
    }
  }

  sums(): ValueSums[] {
    return [...this.byName].map(([name, { n, sum, squares, groupN, groupSum }]) => {
      const groups: { group: number; n: number; sum: number }[] = [];
      for (let group = 0; group < GROUPS; group++)
        if (groupN[group]! > 0) groups.push({ group, n: groupN[group]!, sum: groupSum[group]! });
      return { name, n, sum, squares, groups };
    });
  }

  /** Adds what sums() gave elsewhere. */
  addSums(sums: readonly ValueSums[]): void {
    for (const { name, n, sum, squares, groups } of sums) {
      const tally = this.tallyOf(name);
      if (!tally) continue;
      tally.n += n;
      tally.sum += sum;
      tally.squares += squares;
      for (const of of groups) {
        tally.groupN[of.group]! += of.n;
        tally.groupSum[of.group]! += of.sum;
      }
    }
  }

  /** What sums() gave, to go on from. */
  static of(sums: readonly ValueSums[]): ValueTallies {
    const tallies = new ValueTallies();
    tallies.addSums(sums);
    return tallies;
  }

  private tallyOf(name: string): Tally | null {
    const found = this.byName.get(name);
    if (found) return found;
    if (this.byName.size >= NAMES_MAX) return null;
    const tally = { n: 0, sum: 0, squares: 0, groupN: new Float64Array(GROUPS), groupSum: new Float64Array(GROUPS) };
    this.byName.set(name, tally);
    return tally;
  }
}
