import type { PackReader, PackWriter } from '@app/shared';
import type { ArmCounts, BucketSummary, Cells } from '../summary.js';
import { type QuantileCheck, slowerThan } from './checks-plan.js';
import type { FrozenQuantile } from './generation.js';
import { Look } from './look.js';

const LINE = 1;

/**
 * A latency quantile: control is slow above T, its own frozen quantile, the canary above the limit; with the line at
 * equal odds both ways. A strict check counts the canary twice, above T for FAIL and above the limit for PASS. What is
 * still pending at the age of the later threshold is slow.
 */
export class QuantileLook {
  readonly fail: Look;
  readonly pass: Look;

  constructor(readonly check: QuantileCheck) {
    this.fail = new Look({ fail: true, pass: !check.strict, floorLimit: null });
    this.pass = check.strict ? new Look({ fail: false, pass: true, floorLimit: null }) : this.fail;
  }

  fold(
    bucket: BucketSummary,
    arms: { readonly canary: ArmCounts; readonly stable: ArmCounts },
    frozen: FrozenQuantile,
    at: { readonly tMs: number; readonly step: number },
  ): void {
    if (this.check.strict) this.foldAt(this.fail, arms, frozen.stableBin, frozen.stableBin, at);
    this.foldAt(this.pass, arms, frozen.stableBin, frozen.canaryBin, at);
  }

  private foldAt(
    look: Look,
    arms: { readonly canary: ArmCounts; readonly stable: ArmCounts },
    stableBin: number,
    canaryBin: number,
    at: { readonly tMs: number; readonly step: number },
  ): void {
    const x1 = look.stickiness.addCells(1, this.cellsOf(arms.canary), slowerThan(canaryBin)) + arms.canary.pending;
    const x0 = look.stickiness.addCells(0, this.cellsOf(arms.stable), slowerThan(stableBin)) + arms.stable.pending;
    look.fold({
      ...at,
      n1: arms.canary.routed,
      x1: Math.min(x1, arms.canary.routed),
      n0: arms.stable.routed,
      x0: Math.min(x0, arms.stable.routed),
      failLine: LINE,
      passLine: LINE,
    });
  }

  private cellsOf(arm: ArmCounts): Cells {
    return this.check.source === 'latency' ? arm.cells : arm.firstByte;
  }

  write(out: PackWriter): void {
    this.fail.write(out);
    if (this.pass !== this.fail) this.pass.write(out);
  }

  read(from: PackReader): void {
    this.fail.read(from);
    if (this.pass !== this.fail) this.pass.read(from);
  }
}
