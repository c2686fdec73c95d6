import type { PackReader, PackWriter } from '@app/shared';
import type { PairedCounts } from '../summary.js';

const GROUPS = 64;

/** Pairs by user group: all of them, those in which only the canary was bad, and those in which only stable was. */
export class PairedTally {
  readonly groupN = new Uint32Array(GROUPS);
  readonly groupWorse = new Uint32Array(GROUPS);
  readonly groupBetter = new Uint32Array(GROUPS);
  bothBad = 0;

  add(group: number, stableBad: boolean, canaryBad: boolean): void {
    this.groupN[group]!++;
    if (canaryBad && !stableBad) this.groupWorse[group]!++;
    if (stableBad && !canaryBad) this.groupBetter[group]!++;
    if (stableBad && canaryBad) this.bothBad++;
  }

  counts(): PairedCounts {
    const [groupN, groupWorse, groupBetter] = [[...this.groupN], [...this.groupWorse], [...this.groupBetter]];
    return { groupN, groupWorse, groupBetter, bothBad: this.bothBad };
  }

  pack(writer: PackWriter): void {
    packPaired(writer, this);
  }

  unpack(reader: PackReader): void {
    const counts = unpackPaired(reader);
    this.groupN.set(counts.groupN);
    this.groupWorse.set(counts.groupWorse);
    this.groupBetter.set(counts.groupBetter);
    this.bothBad = counts.bothBad;
  }
}

interface ByGroup {
  readonly groupN: ArrayLike<number>;
  readonly groupWorse: ArrayLike<number>;
  readonly groupBetter: ArrayLike<number>;
  readonly bothBad: number;
}

export function packPaired(writer: PackWriter, { groupN, groupWorse, groupBetter, bothBad }: ByGroup): void {
  writer.uint(bothBad);
  for (let g = 0; g < GROUPS; g++) {
    writer.uint(groupN[g] ?? 0);
    if ((groupN[g] ?? 0) > 0) writer.uint(groupWorse[g] ?? 0).uint(groupBetter[g] ?? 0);
  }
}

export function unpackPaired(reader: PackReader): PairedCounts {
  const counts = {
    bothBad: reader.uint(),
    groupN: [] as number[],
    groupWorse: [] as number[],
    groupBetter: [] as number[],
  };
  for (let g = 0; g < GROUPS; g++) {
    const n = reader.uint();
    counts.groupN.push(n);
    counts.groupWorse.push(n > 0 ? reader.uint() : 0);
    counts.groupBetter.push(n > 0 ? reader.uint() : 0);
  }
  return counts;
}
