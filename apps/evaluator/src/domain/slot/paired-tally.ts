import type { PackReader, PackWriter } from '@app/shared';
import type { PairedCounts } from '../summary.js';

const GROUPS = 64;

/** Pairs by user group: all of them, those in which only the canary was bad, and those in which only stable was. */
export class PairedTally {
  readonly groupN = new Uint32Array(GROUPS);
  readonly groupWorse = new Uint32Array(GROUPS);
  readonly groupBetter = new Uint32Array(GROUPS);

  add(group: number, stableBad: boolean, canaryBad: boolean): void {
    this.groupN[group]!++;
    if (canaryBad && !stableBad) this.groupWorse[group]!++;
    if (stableBad && !canaryBad) this.groupBetter[group]!++;
  }

  counts(): PairedCounts {
    return { groupN: [...this.groupN], groupWorse: [...this.groupWorse], groupBetter: [...this.groupBetter] };
  }

  pack(writer: PackWriter): void {
    packPaired(writer, this);
  }

  unpack(reader: PackReader): void {
    const counts = unpackPaired(reader);
    this.groupN.set(counts.groupN);
    this.groupWorse.set(counts.groupWorse);
    this.groupBetter.set(counts.groupBetter);
  }
}

interface ByGroup {
  readonly groupN: ArrayLike<number>;
  readonly groupWorse: ArrayLike<number>;
  readonly groupBetter: ArrayLike<number>;
}

export function packPaired(writer: PackWriter, { groupN, groupWorse, groupBetter }: ByGroup): void {
  for (let g = 0; g < GROUPS; g++) {
    writer.uint(groupN[g] ?? 0);
    if ((groupN[g] ?? 0) > 0) writer.uint(groupWorse[g] ?? 0).uint(groupBetter[g] ?? 0);
  }
}

export function unpackPaired(reader: PackReader): PairedCounts {
  const counts = { groupN: [] as number[], groupWorse: [] as number[], groupBetter: [] as number[] };
  for (let g = 0; g < GROUPS; g++) {
    const n = reader.uint();
    counts.groupN.push(n);
    counts.groupWorse.push(n > 0 ? reader.uint() : 0);
    counts.groupBetter.push(n > 0 ? reader.uint() : 0);
  }
  return counts;
}
