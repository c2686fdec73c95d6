import type { PackReader, PackWriter } from '@app/shared';
import type { ArmCounts } from '../summary.js';
import { type BucketCounts, FAIL_GRID, kernelStep, lnEvidence, lnHalf } from './kernel.js';
import { packCounts, packFloats, unpackCounts, unpackFloats } from './pack-counts.js';
import { digestOf, GROUPS } from './cell-digest.js';
import { Stickiness } from './stickiness.js';

const SIZE = FAIL_GRID.g.length;
/** E at which the arms' shares of labelled predictions are taken for different. */
const LN_DIFFERS = Math.log(1000);
/** Strata whose user groups are kept together: groups of each stratum that waits for its labels would be too much. */
const STRATA_PER_CHUNK = 50;
const step = new Float64Array(SIZE);

/** One arm of a stratum: predictions that were answered, and those of them that were labelled in time. */
export interface ArmCoverage {
  readonly answered: number;
  readonly labelled: { readonly n: number; readonly groupN: ArrayLike<number> };
}

/** User groups of many strata: answered and labelled, by arm, control first. */
interface Chunk {
  readonly generation: number;
  readonly number: number;
  readonly answered: readonly [Float64Array, Float64Array];
  readonly labelled: readonly [Float64Array, Float64Array];
}

/**
 * Is the canary labelled as often as control? The H-kernel on "answered, but not labelled within the horizon", in both
 * directions, with a sticky-user correction of its own: many users never send a label. Labels that are missing on one
 * side may hide its wrong ones, so from E >= 1000 on the accuracy check takes the canary's missing ones for wrong.
 * (Blocking instead would hold every canary whose labels are slower.)
 */
export class LabelCoverage {
  /** Latched: an e-process that once was above the line has decided. */
  differs = false;
  answered1 = 0;
  labelled1 = 0;
  answered0 = 0;
  labelled0 = 0;
  readonly stickiness = new Stickiness();
  private readonly more = new Float64Array(SIZE);
  private readonly fewer = new Float64Array(SIZE);
  private readonly chunks = new Map<string, Chunk>();

  /** Counts the user groups of a final bucket's answers. */
  addAnswers(generation: number, stratum: number, control: ArmCounts | null, canary: ArmCounts | null): void {
    const { answered } = this.chunkOf(generation, stratum);
    if (control) digestOf(control.cells).addOkTo(answered[0]);
    if (canary) digestOf(canary.cells).addOkTo(answered[1]);
  }

  /** Folds a stratum that all label partitions have passed. */
  addStratum(generation: number, stratum: number, canary: ArmCoverage, control: ArmCoverage): void {
    const n1 = Math.max(canary.answered, canary.labelled.n);
    const n0 = Math.max(control.answered, control.labelled.n);
    this.answered1 += n1;
    this.labelled1 += canary.labelled.n;
    this.answered0 += n0;
    this.labelled0 += control.labelled.n;
    const x1 = n1 - canary.labelled.n;
    const x0 = n0 - control.labelled.n;
    accumulate(this.more, { n1, x1, n0, x0 });
    accumulate(this.fewer, { n1: n0, x1: x0, n0: n1, x0: x1 });
    const { labelled } = this.chunkOf(generation, stratum);
    for (let g = 0; g < GROUPS; g++) {
      labelled[1][g]! += canary.labelled.groupN[g] ?? 0;
      labelled[0][g]! += control.labelled.groupN[g] ?? 0;
    }
  }

  /** Brings the correction up to date with chunks whose last stratum is closed, and only then decides. */
  closeChunks(closed: (stratum: number) => boolean): void {
    for (const [key, chunk] of this.chunks) {
      if (!closed((chunk.number + 1) * STRATA_PER_CHUNK - 1)) continue;
      this.chunks.delete(key);
      for (const arm of [0, 1] as const) {
        const n = chunk.answered[arm].map((answered, g) => Math.max(answered, chunk.labelled[arm][g]!));
        const missing = n.map((all, g) => all - chunk.labelled[arm][g]!);
        this.stickiness.addGroups(arm, n, missing);
      }
      this.stickiness.update();
      if (this.lnE() >= LN_DIFFERS) this.differs = true;
    }
  }

  /** ln of the mean E of both directions. */
  lnE(): number {
    const { d } = this.stickiness;
    return lnHalf(lnEvidence(this.more, 0, FAIL_GRID, d), lnEvidence(this.fewer, 0, FAIL_GRID, d));
  }

  private chunkOf(generation: number, stratum: number): Chunk {
    const number = Math.floor(stratum / STRATA_PER_CHUNK);
    const key = `${generation} ${number}`;
    let chunk = this.chunks.get(key);
    if (!chunk) {
      chunk = { generation, number, answered: groupCounts(), labelled: groupCounts() };
      this.chunks.set(key, chunk);
    }
    return chunk;
  }

  write(out: PackWriter): void {
    out.uint(this.differs ? 1 : 0);
    out.uint(this.answered1).uint(this.labelled1).uint(this.answered0).uint(this.labelled0);
    this.stickiness.write(out);
    packFloats(out, this.more);
    packFloats(out, this.fewer);
    out.uint(this.chunks.size);
    for (const { generation, number, answered, labelled } of this.chunks.values()) {
      out.uint(generation).uint(number);
      for (const counts of [...answered, ...labelled]) packCounts(out, counts);
    }
  }

  read(from: PackReader): void {
    this.differs = from.uint() === 1;
    this.answered1 = from.uint();
    this.labelled1 = from.uint();
    this.answered0 = from.uint();
    this.labelled0 = from.uint();
    this.stickiness.read(from);
    unpackFloats(from, this.more);
    unpackFloats(from, this.fewer);
    for (let left = from.uint(); left > 0; left--) {
      const chunk = this.chunkOf(from.uint(), from.uint() * STRATA_PER_CHUNK);
      for (const counts of [...chunk.answered, ...chunk.labelled]) unpackCounts(from, counts);
    }
  }
}

function groupCounts(): readonly [Float64Array, Float64Array] {
  return [new Float64Array(GROUPS), new Float64Array(GROUPS)];
}

function accumulate(acc: Float64Array, counts: BucketCounts): void {
  if (kernelStep(counts, 1, FAIL_GRID, step)) for (let k = 0; k < SIZE; k++) acc[k]! += step[k]!;
}
