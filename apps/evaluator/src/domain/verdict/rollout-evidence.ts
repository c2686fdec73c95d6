import type { PackReader, PackWriter } from '@app/shared';
import type { RolloutPlan } from '../plan.js';
import type { ArmCounts, BucketSummary, LabelShare, LeftOutSummary, PairShare } from '../summary.js';
import { AccuracyEvidence, type StratumPlace } from './accuracy.js';
import { BakeDrift } from './bake-drift.js';
import { Ceilings } from './ceilings.js';
import { type CheckGroup, type ChecksPlan, ERROR, planChecks, type QuantileCheck } from './checks-plan.js';
import type { ControlHistory } from './control-history.js';
import { Generation } from './generation.js';
import { lnAdd, lnMean } from './kernel.js';
import { OptionalEvidence } from './optional-evidence.js';
import { quantilesOf } from './segment-looks.js';
import { type LinePair, type Lines, linesOf, NO_LINES } from './lines.js';
import { Look } from './look.js';
import { QuantileLook } from './quantile-look.js';
import { LatencySketch } from './quantiles.js';
import { ShadowEvidence } from './shadow-evidence.js';
import { StepProgress } from './step-progress.js';
import { Traffic } from './traffic.js';

/** Generations that are remembered: late buckets and labels of older ones count no more. */
const GENERATIONS_MAX = 64;

interface Arms {
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

/** All evidence of one rollout, folded from summaries. */
export class RolloutEvidence {
  readonly checks: ChecksPlan;
  readonly errorsEarly: Look | null;
  readonly errorsFinal: Look | null;
  readonly quantiles: readonly QuantileLook[];
  readonly accuracy: AccuracyEvidence | null;
  /** Null without a shadow step. */
  readonly shadow: ShadowEvidence | null;
  readonly ceilings: Ceilings;
  readonly optional: OptionalEvidence;
  readonly drift = new BakeDrift();
  readonly traffic = new Traffic();
  readonly progress = new StepProgress();
  /** Latencies of buckets that count, since the rollout began, for display: control first. */
  readonly sketches = { latency: armSketches(), firstByte: armSketches() };
  /** Predictions of the present generation that did not go where the hash said. */
  misrouted = 0;
  /** Routing time of the rollout's first bucket; -1 before it. */
  beganMs = -1;
  /** Something was folded since the last judgement. */
  changed = true;
  private readonly looks: readonly Look[];
  private lines: Lines = NO_LINES;
  private generations = new Map<number, Generation>();

  constructor(private plan: RolloutPlan) {
    const shadow = plan.spec.steps.some((step) => step.kind === 'shadow');
    this.checks = planChecks(plan.spec.checks, { shadow });
    this.shadow = shadow ? new ShadowEvidence(plan.spec.checks) : null;
    const { errors, accuracy, quantiles, ceilings } = this.checks;
    this.errorsEarly = errors && new Look({ fail: true, pass: false, floorLimit: null });
    this.errorsFinal = errors && new Look({ fail: true, pass: true, floorLimit: errors.maxIncrease });
    this.quantiles = quantiles.map((check) => new QuantileLook(check));
    this.accuracy = accuracy && new AccuracyEvidence(accuracy);
    this.ceilings = new Ceilings(ceilings);
    this.optional = new OptionalEvidence(plan.spec, this.checks);
    this.looks = [
      this.errorsEarly,
      this.errorsFinal,
      ...this.quantiles.flatMap(({ fail, pass }) => (pass === fail ? [fail] : [fail, pass])),
      this.accuracy?.look,
      this.accuracy?.pessimistic,
    ].filter((look) => look instanceof Look);
  }

  /** Takes in what has newly been read of the rollout: phases that began, a step resumed. */
  setPlan(plan: RolloutPlan, history: ControlHistory): void {
    this.plan = plan;
    this.changed = true;
    plan.phases.forEach((phase, i) => {
      if (this.generations.has(phase.generation)) return;
      if (phase.bake) this.freezeDrift(history);
      this.generations.set(phase.generation, Generation.of(phase, plan.phases[i - 1], plan.canary));
      this.misrouted = 0;
    });
    while (this.generations.size > GENERATIONS_MAX) this.generations.delete(this.generations.keys().next().value!);
    const newest = plan.phases.at(-1);
    if (!newest) return;
    this.traffic.watch(newest.generation);
    this.progress.enter(newest.step, plan.resumedAt ?? -1);
    for (const look of this.looks) look.backTo(newest.step);
    this.optional.backTo(newest.step);
  }

  /** The generation that routes now. */
  present(): Generation | null {
    const newest = this.plan.phases.at(-1);
    return newest ? (this.generations.get(newest.generation) ?? null) : null;
  }

  owns(generation: number): boolean {
    return this.generations.has(generation);
  }

  /** Age of the early look at a bucket, once it is frozen for its generation. */
  earlyAgeMs(generation: number, routedFromMs: number): number | null {
    return this.generations.get(generation)?.earlyAgeMs(routedFromMs) ?? null;
  }

  /** Fixes the lines for the buckets of a cut. */
  beginCut(history: ControlHistory): void {
    this.lines = linesOf(history, this.checks);
    this.optional.beginCut();
  }

  foldBucket(bucket: BucketSummary, history: ControlHistory): void {
    const generation = this.generations.get(bucket.generation);
    if (!generation) return;
    this.changed = true;
    if (this.beganMs < 0) this.beganMs = bucket.routedFrom;
    const canary = bucket.versions[this.plan.canary] ?? null;
    const stable = bucket.versions[this.plan.stable] ?? null;
    const isPresent = generation === this.present();
    if (bucket.previousAgeMs === 0) {
      this.traffic.add(bucket.generation, stable?.routed ?? 0, canary?.routed ?? 0);
      if (isPresent)
        for (const arm of Object.values(bucket.versions)) this.misrouted += Math.abs(arm.routed - arm.intended);
    }
    const ofStep = generation.step === this.progress.step;
    if (ofStep) this.progress.seen(bucket.routedFrom, bucket.routedTo);
    this.ceilings.fold(bucket, this.sinceBeginning(bucket.routedFrom), { canary, stable });
    if (bucket.final) this.optional.observe(canary, stable);
    const counts = generation.counts(bucket, canary?.routed ?? 0, this.plan.spec.warmup);
    if (bucket.final && ofStep) this.progress.finished += (canary?.routed ?? 0) + (stable?.routed ?? 0);
    if (generation.bake) {
      if (bucket.final && canary && counts) this.drift.add(canary);
      if (bucket.final && ofStep) this.progress.canary += canary?.routed ?? 0;
      return;
    }
    if (!counts) return;
    generation.freeze(bucket, history, this.checks.quantiles);
    if (bucket.final && ofStep) {
      this.progress.canary += canary?.routed ?? 0;
      this.progress.stable += stable?.routed ?? 0;
    }
    if (bucket.final && this.accuracy && generation.countsFrom(this.accuracy.stratumFromMs(bucket.routedFrom)))
      this.accuracy.addAnswers(bucket.generation, bucket.routedFrom, canary, stable);
    if (canary && stable && canary.routed > 0 && stable.routed > 0) this.look(bucket, generation, { canary, stable });
  }

  leaveOut(bucket: LeftOutSummary): void {
    this.changed = true;
    this.ceilings.leaveOut(bucket);
    if (this.generations.get(bucket.generation)?.step !== this.progress.step) return;
    for (const routed of Object.values(bucket.routed)) this.progress.leftOut += routed;
  }

  addLabels(share: LabelShare): void {
    this.accuracy?.addShare(share);
    this.optional.addShare(share);
  }

  addPairs(share: PairShare): void {
    const generation = this.generations.get(share.generation);
    if (!generation || !this.shadow) return;
    this.changed = true;
    const answered = this.shadow.fold(share, this.sinceBeginning(share.stratum * share.strataMs));
    if (generation.step === this.progress.step) this.progress.canary += answered;
  }

  /**
   * Folds the strata that all label partitions have passed, and brings every figure up to date.
   *
   * @returns whether there were any such strata.
   */
  endCut(labelsPassedMs: number, asOfMs: number, history: ControlHistory): boolean {
    this.traffic.endCut(asOfMs);
    this.progress.endCut(asOfMs);
    const place = (number: number, fromMs: number): StratumPlace | null => {
      const generation = this.generations.get(number);
      if (!generation?.countsFrom(fromMs)) return null;
      return { tMs: this.sinceBeginning(fromMs), step: generation.step };
    };
    const closed = this.accuracy?.close(labelsPassedMs, place, this.lines, history) ?? false;
    if (closed) {
      this.changed = true;
      this.accuracy?.evaluate();
    }
    const closedDetails = this.optional.closeLabels(labelsPassedMs, place);
    this.shadow?.evaluate();
    for (const look of this.looks) look.evaluate();
    this.ceilings.evaluate();
    this.optional.evaluate();
    return closed || closedDetails;
  }

  /** ln E of a group of checks that the canary is beyond a limit. */
  lnFail(group: CheckGroup): number {
    switch (group) {
      case 'errors':
        return this.optional.withSegments('errors', this.lnErrors());
      case 'ceilings':
        return this.ceilings.lnFail();
      case 'latency':
        return this.optional.withSegments('latency', lnMean(this.quantiles.map((q) => q.fail.lnFail())));
      case 'accuracy': {
        const custom = this.optional.custom.map((look) => look.lnFail());
        if (this.shadow) custom.push(this.shadow.lnFail());
        if (!this.accuracy) return lnMean(custom);
        return lnMean([this.optional.withSegments('accuracy', this.accuracy.look.lnFail()), ...custom]);
      }
    }
  }

  /** ln E that the canary has too many errors, over all traffic. */
  lnErrors(): number {
    return lnMean([this.errorsEarly!.lnFail(), this.errorsFinal!.lnFail()]);
  }

  /** ln sum_m omega_m E_m: what is compared with ln(1/alpha). */
  lnTotal(): number {
    let sum = -Infinity;
    for (const group of this.checks.groups) sum = lnAdd(sum, this.lnFail(group));
    return sum + Math.log(this.checks.omega);
  }

  /** The line of PASS, as fixed for this cut; null: control's base rate is not known. */
  passLine(check: 'errors' | 'accuracy'): number | null {
    return check === 'errors' ? this.lines.errorsFinal.pass : this.lines.accuracy.pass;
  }

  /** Control predictions for each of the canary's, by the present weights. */
  armRatio(): number {
    const weights = this.plan.phases.at(-1)?.weights ?? {};
    const canary = weights[this.plan.canary] ?? 0;
    return canary > 0 ? (weights[this.plan.stable] ?? 0) / canary : 0;
  }

  /** Largest sticky-user correction of all looks. */
  largestCorrection(): number {
    let d = 1;
    for (const look of this.looks) d = Math.max(d, look.stickiness.d);
    return d;
  }

  private look(bucket: BucketSummary, generation: Generation, arms: Arms): void {
    const ageMs = generation.earlyAgeMs(bucket.routedFrom);
    if (this.errorsEarly && ageMs !== null && reaches(bucket, ageMs))
      this.foldLook(this.errorsEarly, bucket, arms, this.lines.errorsEarly);
    if (this.errorsFinal && bucket.final) this.foldLook(this.errorsFinal, bucket, arms, this.lines.errorsFinal);
    for (let i = 0; i < this.quantiles.length; i++) {
      const look = this.quantiles[i]!;
      const frozen = generation.quantile(i, look.check.source, bucket.routedFrom);
      if (frozen && reaches(bucket, frozen.ageMs))
        look.fold(bucket, arms, frozen, { tMs: this.sinceBeginning(bucket.routedFrom), step: generation.step });
    }
    if (!bucket.final) return;
    if (this.optional.asked) this.foldOptional(bucket, generation, arms);
    for (const source of ['latency', 'firstByte'] as const) {
      this.sketches[source][0].add(source === 'latency' ? arms.stable.cells : arms.stable.firstByte);
      this.sketches[source][1].add(source === 'latency' ? arms.canary.cells : arms.canary.firstByte);
    }
  }

  /** Errors: the canary's so far, control's so far and whatever of control is still pending. */
  private foldLook(look: Look, bucket: BucketSummary, { canary, stable }: Arms, line: LinePair): void {
    if (line.fail === null && line.pass === null) return;
    const x1 = look.stickiness.addCells(1, canary.cells, ERROR);
    const x0 = look.stickiness.addCells(0, stable.cells, ERROR) + stable.pending;
    look.fold({
      tMs: this.sinceBeginning(bucket.routedFrom),
      step: this.generations.get(bucket.generation)!.step,
      n1: canary.routed,
      x1: Math.min(x1, canary.routed),
      n0: stable.routed,
      x0: Math.min(x0, stable.routed),
      failLine: line.fail,
      passLine: line.pass,
    });
  }

  private foldOptional(bucket: BucketSummary, generation: Generation, arms: Arms): void {
    const { routedFrom } = bucket;
    const at = { tMs: this.sinceBeginning(routedFrom), step: generation.step, atMs: routedFrom };
    const frozen = quantilesOf(this.checks).map((q) =>
      generation.quantile(this.checks.quantiles.indexOf(q), q.source, routedFrom),
    );
    this.optional.fold(arms, frozen, at);
  }

  private freezeDrift(history: ControlHistory): void {
    const present = [...this.generations.values()].at(-1);
    const bins = this.checks.quantiles.map(
      (q: QuantileCheck, i) => present?.thresholds(i, q.source)?.canaryBin ?? null,
    );
    this.drift.freeze(this.checks, history.final.current()?.large ?? null, bins);
  }

  private sinceBeginning(routedFromMs: number): number {
    return Math.max(0, routedFromMs - Math.max(0, this.beganMs));
  }

  write(out: PackWriter): void {
    this.errorsEarly?.write(out);
    this.errorsFinal?.write(out);
    for (const look of this.quantiles) look.write(out);
    this.accuracy?.write(out);
    this.shadow?.write(out);
    this.ceilings.write(out);
    this.optional.write(out);
    this.drift.write(out);
    this.traffic.write(out);
    this.progress.write(out);
    for (const arms of Object.values(this.sketches)) for (const sketch of arms) sketch.write(out);
    out
      .uint(this.misrouted)
      .uintOrNone(this.beganMs)
      .uint(this.changed ? 1 : 0);
    out.uint(this.generations.size);
    for (const generation of this.generations.values()) generation.write(out);
  }

  read(from: PackReader): this {
    this.errorsEarly?.read(from);
    this.errorsFinal?.read(from);
    for (const look of this.quantiles) look.read(from);
    this.accuracy?.read(from);
    this.shadow?.read(from);
    this.ceilings.read(from);
    this.optional.read(from);
    this.drift.read(from);
    this.traffic.read(from);
    this.progress.read(from);
    for (const arms of Object.values(this.sketches)) for (const sketch of arms) sketch.read(from);
    this.misrouted = from.uint();
    this.beganMs = from.uintOrNone();
    this.changed = from.uint() === 1;
    this.generations = new Map();
    for (let left = from.uint(); left > 0; left--) {
      const generation = Generation.read(from);
      this.generations.set(generation.number, generation);
    }
    return this;
  }
}

function armSketches(): readonly [LatencySketch, LatencySketch] {
  return [new LatencySketch(), new LatencySketch()];
}

/** Whether this record of a bucket is the first one of at least that age, or the final one before it. */
function reaches(bucket: BucketSummary, ageMs: number): boolean {
  return bucket.previousAgeMs < ageMs && (bucket.ageMs >= ageMs || bucket.final);
}
