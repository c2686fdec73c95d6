import type { PackReader, PackWriter, RolloutSpec } from '@app/shared';
import type { ValueSums } from '../arm-details.js';
import type { ArmCounts, LabelShare } from '../summary.js';
import type { ChecksPlan } from './checks-plan.js';
import { CustomLook } from './custom-look.js';
import type { FrozenQuantile } from './generation.js';
import { lnHalf } from './kernel.js';
import { LabelDetails } from './label-details.js';
import { PredictionDrift } from './prediction-drift.js';
import { type FoldedAt, type SegmentGroup, SegmentLooks } from './segment-looks.js';

/** Both arms of a final bucket that counts. */
interface Arms {
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

/**
 * What only some rollouts watch: means of numbers of the user's own, drift of the predictions, segments of the traffic.
 * Where none of it is asked for there is nothing to do and nothing to keep.
 */
export class OptionalEvidence {
  readonly custom: readonly CustomLook[];
  readonly drift: PredictionDrift | null;
  readonly segments: SegmentLooks | null;
  /** Whether any of it is asked for. */
  readonly asked: boolean;
  private readonly labels: LabelDetails | null;

  constructor({ checks, segments, prediction, alpha, beta }: RolloutSpec, plan: ChecksPlan) {
    this.custom = Object.entries(checks.custom ?? {}).map(
      ([name, check]) => new CustomLook(`custom.${name}`, check, { alpha, beta }),
    );
    this.drift = checks.drift ? new PredictionDrift(checks.drift, prediction?.kind ?? 'class') : null;
    this.segments = segments ? new SegmentLooks(segments, plan) : null;
    this.asked = this.custom.length > 0 || this.drift !== null || this.segments !== null;
    const fromLabels = this.segments !== null || this.custom.some(({ spec }) => spec.from === 'label');
    this.labels = checks.accuracy && fromLabels ? new LabelDetails(checks.accuracy.labelsWithinMs) : null;
  }

  /** Fixes what must be known before the buckets of a cut are folded. */
  beginCut(): void {
    this.segments?.beginCut();
    this.drift?.beginCut();
  }

  /** Takes note of a final bucket's traffic, whether it counts or not. */
  observe(canary: ArmCounts | null, stable: ArmCounts | null): void {
    for (const arm of [stable, canary]) if (arm?.details) this.segments?.observe(arm.details);
    if (stable?.details?.predictions) this.drift?.observe(stable.details.predictions);
  }

  /** Folds a final bucket. `frozen`: thresholds of the latency checks, in their order. */
  fold({ canary, stable }: Arms, frozen: readonly (FrozenQuantile | null)[], at: FoldedAt): void {
    this.segments?.fold(canary, stable, frozen, at);
    const [one, zero] = [canary.details, stable.details];
    if (!one || !zero) return;
    this.foldValues('answer', one.values, zero.values, at);
    if (one.predictions && zero.predictions) this.drift?.fold(one.predictions, zero.predictions);
  }

  addShare(share: LabelShare): void {
    this.labels?.add(share);
  }

  /**
   * Folds the strata of labels that all label partitions have passed. `place`: where they count, or null.
   *
   * @returns whether there were any.
   */
  closeLabels(
    passedMs: number,
    place: (generation: number, fromMs: number) => { readonly tMs: number; readonly step: number } | null,
  ): boolean {
    const closed = this.labels?.close(passedMs) ?? [];
    for (const { generation, fromMs, arms } of closed) {
      const placed = place(generation, fromMs);
      if (!placed) continue;
      const at = { ...placed, atMs: fromMs };
      const [control, canary] = arms;
      this.foldValues('label', canary.sums(), control.sums(), at);
      this.segments?.foldLabels(
        (number, chosen) => canary.labelsIn(number, chosen),
        (number, chosen) => control.labelsIn(number, chosen),
        at,
      );
    }
    return closed.length > 0;
  }

  backTo(step: number): void {
    for (const look of this.custom) look.backTo(step);
  }

  /** Brings the figures up to date; once after the buckets of a cut. */
  evaluate(): void {
    for (const look of this.custom) look.evaluate();
    this.drift?.evaluate();
    this.segments?.evaluate();
  }

  /** Half of a check's evidence for FAIL is that of all traffic, half the mean of its segments': their sum stays a mean. */
  withSegments(group: SegmentGroup, lnPooled: number): number {
    return this.segments ? lnHalf(lnPooled, this.segments.lnFail(group)) : lnPooled;
  }

  private foldValues(
    from: 'answer' | 'label',
    canary: readonly ValueSums[],
    control: readonly ValueSums[],
    at: FoldedAt,
  ): void {
    for (const look of this.custom) {
      if (look.spec.from !== from) continue;
      const wanted = from === 'label' ? look.spec.source : look.check.slice('custom.'.length);
      const one = canary.find(({ name }) => name === wanted);
      const zero = control.find(({ name }) => name === wanted);
      if (one && zero) look.fold(one, zero, at);
    }
  }

  write(out: PackWriter): void {
    for (const look of this.custom) look.write(out);
    this.drift?.write(out);
    this.segments?.write(out);
    this.labels?.write(out);
  }

  read(from: PackReader): void {
    for (const look of this.custom) look.read(from);
    this.drift?.read(from);
    this.segments?.read(from);
    this.labels?.read(from);
  }
}
