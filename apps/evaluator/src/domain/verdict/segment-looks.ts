import type { PackReader, PackWriter, SegmentsSpec } from '@app/shared';
import type { ArmDetails, SegmentCells } from '../arm-details.js';
import type { ArmCounts, Cells } from '../summary.js';
import { BaseRateWindow } from './base-rate.js';
import { type ChecksPlan, ERROR, type QuantileCheck, slowerThan } from './checks-plan.js';
import type { FrozenQuantile } from './generation.js';
import { lnMean } from './kernel.js';
import { failLine } from './lines.js';
import { Look } from './look.js';
import { NamedCounts } from './named-counts.js';
import { type Badness, countBad, GROUPS } from './cell-digest.js';

/** Predictions that the segments are chosen from, of both arms, the warm-up's among them. */
const CHOOSE_FROM = 1_000;
/** Number of the segment that is all others. */
const REST = -1;

/** The checks that watch inside segments. */
export type SegmentGroup = 'errors' | 'latency' | 'accuracy';

/** Where a bucket or a stratum counts. */
export interface FoldedAt {
  readonly tMs: number;
  readonly step: number;
  /** Routing time, ms. */
  readonly atMs: number;
}

/** One arm's labels of a stratum in one segment, by user group. */
export interface GroupedLabels {
  readonly groupN: Float64Array;
  readonly groupWrong: Float64Array;
}

/** Looks inside one segment: only for FAIL, since a pass is not to wait for every corner of the traffic. */
class SegmentLook {
  readonly errors: Look | null;
  readonly quantiles: readonly Look[];
  readonly accuracy: Look | null;
  private readonly errorRate = new BaseRateWindow();
  private readonly wrongRate = new BaseRateWindow();
  private errorLine: number | null = null;
  private wrongLine: number | null = null;

  constructor(
    readonly number: number,
    readonly name: string,
    private readonly checks: ChecksPlan,
  ) {
    const look = (): Look => new Look({ fail: true, pass: false, floorLimit: null });
    this.errors = checks.errors && look();
    this.quantiles = quantilesOf(checks).map(look);
    this.accuracy = checks.accuracy && look();
  }

  beginCut(): void {
    const { errors, accuracy } = this.checks;
    if (errors) this.errorLine = failLine(this.errorRate, errors.maxIncrease, errors);
    if (accuracy) this.wrongLine = failLine(this.wrongRate, accuracy.maxDrop, accuracy);
  }

  /** Folds the segment's part of a final bucket: nothing is pending, so what has come is what was routed. */
  fold(
    canary: readonly Cells[],
    control: readonly Cells[],
    frozen: readonly (FrozenQuantile | null)[],
    at: FoldedAt,
  ): void {
    const [n1, n0] = [sizeOf(canary), sizeOf(control)];
    if (n1 > 0 && n0 > 0) {
      if (this.errors && this.errorLine !== null)
        foldLook(this.errors, [canary, ERROR, n1], [control, ERROR, n0], this.errorLine, at);
      for (const [i, check] of quantilesOf(this.checks).entries()) {
        const bins = frozen[i];
        if (!bins) continue;
        const aboveBin = check.strict ? bins.stableBin : bins.canaryBin;
        const bad = [slowerThan(aboveBin), slowerThan(bins.stableBin)] as const;
        foldLook(this.quantiles[i]!, [canary, bad[0], n1], [control, bad[1], n0], 1, at);
      }
    }
    if (this.errors && n0 > 0) this.errorRate.add(at.atMs, n0, badIn(control, ERROR));
  }

  foldLabels(canary: GroupedLabels, control: GroupedLabels, at: FoldedAt): void {
    const [n1, x1] = [sum(canary.groupN), sum(canary.groupWrong)];
    const [n0, x0] = [sum(control.groupN), sum(control.groupWrong)];
    const { accuracy, wrongLine } = this;
    if (accuracy && wrongLine !== null && n1 > 0 && n0 > 0) {
      accuracy.stickiness.addGroups(1, canary.groupN, canary.groupWrong);
      accuracy.stickiness.addGroups(0, control.groupN, control.groupWrong);
      accuracy.fold({ tMs: at.tMs, step: at.step, n1, x1, n0, x0, failLine: wrongLine, passLine: null });
    }
    this.wrongRate.add(at.atMs, n0, x0);
  }

  evaluate(): void {
    for (const look of this.looks()) look.evaluate();
  }

  lnFail(group: SegmentGroup): number {
    switch (group) {
      case 'errors':
        return this.errors?.lnFail() ?? 0;
      case 'latency':
        return lnMean(this.quantiles.map((look) => look.lnFail()));
      case 'accuracy':
        return this.accuracy?.lnFail() ?? 0;
    }
  }

  private looks(): Look[] {
    return [this.errors, ...this.quantiles, this.accuracy].filter((look) => look !== null);
  }

  write(out: PackWriter): void {
    out.uintOrNone(this.number).text(this.name);
    for (const look of this.looks()) look.write(out);
    this.errorRate.write(out);
    this.wrongRate.write(out);
  }

  static read(from: PackReader, checks: ChecksPlan): SegmentLook {
    const segment = new SegmentLook(from.uintOrNone(), from.text(), checks);
    for (const look of segment.looks()) look.read(from);
    segment.errorRate.read(from);
    segment.wrongRate.read(from);
    return segment;
  }
}

/**
 * The checks of errors, latency and accuracy inside the largest segments of the traffic, and inside all others as one.
 * They are chosen once, from what was routed when the rollout began, and stay: a flood of new names changes nothing.
 */
export class SegmentLooks {
  private segments: SegmentLook[] | null = null;
  private readonly seen = new NamedCounts();

  constructor(
    private readonly spec: SegmentsSpec,
    private readonly checks: ChecksPlan,
  ) {}

  /** Takes note of what was routed, until there is enough to choose. */
  observe({ segments }: ArmDetails): void {
    if (this.segments) return;
    for (const { segment, name, cells } of segments) if (segment > 0) this.seen.add(segment, sizeOf([cells]), name);
  }

  /** Chooses, once, and fixes the lines for the buckets that are folded from now on. */
  beginCut(): void {
    if (!this.segments && this.seen.total >= CHOOSE_FROM) {
      const largest = this.seen.largest(this.spec.top);
      const looks = largest.map(({ number, name }) => new SegmentLook(number, name, this.checks));
      this.segments = [...looks, new SegmentLook(REST, '(others)', this.checks)];
      this.seen.clear();
    }
    for (const segment of this.segments ?? []) segment.beginCut();
  }

  fold(canary: ArmCounts, control: ArmCounts, frozen: readonly (FrozenQuantile | null)[], at: FoldedAt): void {
    const { segments } = this;
    if (!segments || !canary.details || !control.details) return;
    const [canaryParts, controlParts] = [
      split(canary.details.segments, segments),
      split(control.details.segments, segments),
    ];
    segments.forEach((segment, i) => segment.fold(canaryParts[i]!, controlParts[i]!, frozen, at));
  }

  /** `labels` gives an arm's labels in a segment; -1: in none of the others that are chosen. */
  foldLabels(
    canary: (number: number, chosen: readonly number[]) => GroupedLabels,
    control: (number: number, chosen: readonly number[]) => GroupedLabels,
    at: FoldedAt,
  ): void {
    const chosen = (this.segments ?? []).map(({ number }) => number);
    for (const segment of this.segments ?? [])
      segment.foldLabels(canary(segment.number, chosen), control(segment.number, chosen), at);
  }

  evaluate(): void {
    for (const segment of this.segments ?? []) segment.evaluate();
  }

  /** ln of the mean E over the segments; ln 1 before they are chosen. */
  lnFail(group: SegmentGroup): number {
    return lnMean((this.segments ?? []).map((segment) => segment.lnFail(group)));
  }

  /** Of each check, the segment with the most evidence; null where none has anything to compare. */
  worst(): readonly WorstSegment[] {
    const { checks } = this;
    const all: { check: string; group: SegmentGroup; of: (segment: SegmentLook) => Look | null | undefined }[] = [
      { check: 'errorRate', group: 'errors', of: (segment) => segment.errors },
      ...quantilesOf(checks).map(({ check }, i) => ({
        check,
        group: 'latency' as const,
        of: (segment: SegmentLook) => segment.quantiles[i],
      })),
      { check: 'accuracy', group: 'accuracy', of: (segment) => segment.accuracy },
    ];
    return all.flatMap(({ check, group, of }) => {
      let worst: WorstSegment | null = null;
      for (const segment of this.segments ?? []) {
        const look = of(segment);
        if (!look || look.n1 === 0 || (worst && worst.look.lnFail() >= look.lnFail())) continue;
        worst = { check, group, look, segment: `${this.spec.header}=${segment.name}` };
      }
      return worst ? [worst] : [];
    });
  }

  write(out: PackWriter): void {
    this.seen.write(out);
    out.uint(this.segments?.length ?? 0);
    for (const segment of this.segments ?? []) segment.write(out);
  }

  read(from: PackReader): this {
    this.seen.read(from);
    const segments = Array.from({ length: from.uint() }, () => SegmentLook.read(from, this.checks));
    if (segments.length > 0) this.segments = segments;
    return this;
  }
}

export interface WorstSegment {
  readonly check: string;
  readonly group: SegmentGroup;
  readonly look: Look;
  /** header=value */
  readonly segment: string;
}

/** Thresholds are known by the index of the check in the plan; only latency to the last byte is counted by segment. */
export function quantilesOf({ quantiles }: ChecksPlan): readonly QuantileCheck[] {
  return quantiles.filter(({ source }) => source === 'latency');
}

type Side = readonly [cells: readonly Cells[], bad: Badness, n: number];

function foldLook(look: Look, [canary, bad1, n1]: Side, [control, bad0, n0]: Side, line: number, at: FoldedAt): void {
  let x1 = 0;
  let x0 = 0;
  for (const cells of canary) x1 += look.stickiness.addCells(1, cells, bad1);
  for (const cells of control) x0 += look.stickiness.addCells(0, cells, bad0);
  look.fold({ tMs: at.tMs, step: at.step, n1, x1, n0, x0, failLine: line, passLine: null });
}

/** An arm's cells by chosen segment, in their order; the last one is the rest. */
function split(cells: readonly SegmentCells[], segments: readonly SegmentLook[]): Cells[][] {
  const parts: Cells[][] = segments.map(() => []);
  for (const { segment, cells: of } of cells) {
    const index = segments.findIndex(({ number }) => number === segment);
    parts[index < 0 ? segments.length - 1 : index]!.push(of);
  }
  return parts;
}

function sizeOf(cells: readonly Cells[]): number {
  let n = 0;
  for (const { counts } of cells) for (let i = 0; i < counts.length; i++) n += counts[i]!;
  return n;
}

function badIn(cells: readonly Cells[], bad: Badness): number {
  return cells.reduce((total, of) => total + countBad(of, bad), 0);
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let g = 0; g < GROUPS; g++) total += values[g]!;
  return total;
}
