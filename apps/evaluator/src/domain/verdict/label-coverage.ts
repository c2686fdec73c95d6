import type { PackReader, PackWriter } from '@app/shared';
import { type BucketCounts, FAIL_GRID, kernelStep, lnAdd, lnEvidence } from './kernel.js';
import { packFloats, unpackFloats } from './pack-counts.js';

const SIZE = FAIL_GRID.g.length;
/** E at which the arms' shares of labelled predictions are taken for different. */
const LN_DIFFERS = Math.log(1000);
const step = new Float64Array(SIZE);

interface ArmCoverage {
  readonly labelled: { readonly n: number; readonly groupN: ArrayLike<number> };
  readonly routed: number;
}

/**
 * Is the canary labelled as often as control? The H-kernel on "not labelled within the horizon", in both directions.
 * Labels that are missing on one side may hide its wrong ones, so from E >= 1000 on the accuracy check takes the
 * canary's missing ones for wrong. (Blocking instead would hold every canary whose labels are slower.)
 */
export class LabelCoverage {
  /** Latched: an e-process that once was above the line has decided. */
  differs = false;
  routed1 = 0;
  labelled1 = 0;
  routed0 = 0;
  labelled0 = 0;
  private readonly more = new Float64Array(SIZE);
  private readonly fewer = new Float64Array(SIZE);

  add(canary: ArmCoverage, control: ArmCoverage): void {
    const n1 = Math.max(canary.routed, canary.labelled.n);
    const n0 = Math.max(control.routed, control.labelled.n);
    this.routed1 += n1;
    this.labelled1 += canary.labelled.n;
    this.routed0 += n0;
    this.labelled0 += control.labelled.n;
    const x1 = n1 - canary.labelled.n;
    const x0 = n0 - control.labelled.n;
    accumulate(this.more, { n1, x1, n0, x0 });
    accumulate(this.fewer, { n1: n0, x1: x0, n0: n1, x0: x1 });
  }

  evaluate(): void {
    if (this.lnE() >= LN_DIFFERS) this.differs = true;
  }

  /** ln of the mean E of both directions. */
  lnE(): number {
    return lnAdd(lnEvidence(this.more, 0, FAIL_GRID, 1), lnEvidence(this.fewer, 0, FAIL_GRID, 1)) - Math.LN2;
  }

  write(out: PackWriter): void {
    out.uint(this.differs ? 1 : 0);
    out.uint(this.routed1).uint(this.labelled1).uint(this.routed0).uint(this.labelled0);
    packFloats(out, this.more);
    packFloats(out, this.fewer);
  }

  read(from: PackReader): void {
    this.differs = from.uint() === 1;
    this.routed1 = from.uint();
    this.labelled1 = from.uint();
    this.routed0 = from.uint();
    this.labelled0 = from.uint();
    unpackFloats(from, this.more);
    unpackFloats(from, this.fewer);
  }
}

function accumulate(acc: Float64Array, counts: BucketCounts): void {
  if (kernelStep(counts, 1, FAIL_GRID, step)) for (let k = 0; k < SIZE; k++) acc[k]! += step[k]!;
}
