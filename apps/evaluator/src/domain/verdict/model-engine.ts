import { PackReader, PackWriter } from '@app/shared';
import type { CutContext, Judgement, ModelEngine } from '../engine.js';
import type { ModelPlan } from '../plan.js';
import type { BucketSummary, LabelShare, Summary } from '../summary.js';
import { baselineOf } from './baseline.js';
import { ControlHistory } from './control-history.js';
import { Haste } from './haste.js';
import { type Findings, findingsOf, judge, tell } from './judge.js';
import { RolloutEvidence } from './rollout-evidence.js';

/** A verdict is given again after this much log time even if nothing has changed: a sign of life. */
const SIGN_OF_LIFE_MS = 2_000;
const packer = new PackWriter();

/** A new engine for a model of which nothing is known. */
export function createModelEngine(model: string): VerdictEngine {
  return new VerdictEngine(model);
}

/** The engine that encode() gave. Throws CanaryError `corrupt-pack` or a SyntaxError where the bytes are not one. */
export function decodeModelEngine(model: string, bytes: Buffer): VerdictEngine {
  return new VerdictEngine(model).decode(bytes);
}

/** What the last judgement said, to see whether the next one says anything new. */
interface Said {
  readonly what: string;
  readonly asOfMs: number;
}

/** The verdict engine of one model: see ModelEngine for the contract. */
export class VerdictEngine implements ModelEngine {
  private plan: ModelPlan | null = null;
  private history: ControlHistory | null = null;
  /** Generation from which the history's version has been stable. */
  private historyFrom = 0;
  private open: RolloutEvidence | null = null;
  private cut: CutContext | null = null;
  private said: Said | null = null;
  /** Once a rollout has failed it stays failed. */
  private failed = false;
  private haste = new Haste();
  /** Of the last look that had nothing to tell, until something is folded: a busy model keeps none. */
  private findings: Findings | null = null;

  constructor(readonly model: string) {}

  setPlan(plan: ModelPlan): void {
    const before = this.plan?.rollout?.rollout;
    this.plan = plan;
    this.findings = null;
    const { rollout } = plan;
    const stable = rollout && !rollout.ended ? rollout.stable : plan.stable;
    if (this.history?.version !== stable) {
      this.history = new ControlHistory(stable);
      this.historyFrom = plan.generation;
    }
    if (!rollout || rollout.ended) {
      this.open = null;
      return;
    }
    if (!this.open || before !== rollout.rollout) {
      this.open = new RolloutEvidence(rollout);
      this.said = null;
      this.failed = false;
      this.haste = new Haste();
    }
    this.open.setPlan(rollout, this.history);
  }

  beginCut(cut: CutContext): void {
    this.cut = cut;
    if (this.history) this.open?.beginCut(this.history);
  }

  fold(summary: Summary): void {
    this.findings = null;
    switch (summary.kind) {
      case 'bucket':
        return this.foldBucket(summary);
      case 'left-out':
        return this.open?.leaveOut(summary);
      case 'label-share':
        return this.foldLabels(summary);
      case 'pair-share':
        return this.open?.addPairs(summary);
    }
  }

  endCut(): Judgement | null {
    const { cut, open, plan, history } = this;
    const rollout = plan?.rollout;
    if (!cut || !open || !rollout || !history) return null;
    if (open.endCut(least(cut.labelLogTimesMs), cut.asOfMs, history)) this.findings = null;
    if (rollout.phases.length === 0) return null;
    const standing = { plan: rollout, generation: plan.generation, evidence: open, cut, failed: this.failed };
    const kept = this.findings;
    const findings = kept ?? findingsOf(standing);
    const ruling = judge(standing, findings);
    this.haste.judged(findings);
    if (ruling.result === 'fail') this.failed = true;
    const what = `${ruling.result} ${ruling.code} ${rollout.step} ${plan.generation}`;
    const first = this.said === null;
    const news = open.changed || this.said?.what !== what || cut.asOfMs - this.said.asOfMs >= SIGN_OF_LIFE_MS;
    this.findings = news ? null : findings;
    if (!news) return null;
    open.changed = false;
    this.said = { what, asOfMs: cut.asOfMs };
    // The lines were fixed anew with this cut, and the forecasts go by them.
    const judged = tell(standing, kept ? findingsOf(standing) : findings, ruling);
    return first ? { ...judged, baseline: baselineOf(history, open) } : judged;
  }

  /** The evidence of the open rollout: for tests, replays and explanations. */
  evidence(): RolloutEvidence | null {
    return this.open;
  }

  urgent(): boolean {
    return this.open !== null && !this.failed && this.haste.isNear(this.open.ceilings.recent);
  }

  private foldBucket(bucket: BucketSummary): void {
    if (!isBucket(bucket)) return;
    const { history, open } = this;
    if (!history) return;
    if (open) {
      open.foldBucket(bucket, history);
      if (this.plan?.rollout) this.haste.see(bucket, this.plan.rollout);
    }
    const stable = bucket.versions[history.version];
    if (!stable) return;
    const frozenMs = open?.earlyAgeMs(bucket.generation, bucket.routedFrom) ?? null;
    history.addBucket(bucket, stable, frozenMs ?? history.latencies('latency').edgeMs('p99'));
  }

  private foldLabels(share: LabelShare): void {
    if (this.open?.owns(share.generation)) return this.open.addLabels(share);
    const { n, wrong } = share.stable;
    if (share.generation >= this.historyFrom) this.history?.addLabels(share, n, wrong, n);
  }

  encode(): Buffer {
    const { plan, history, open, said } = this;
    packer
      .text(JSON.stringify(plan))
      .uint(this.failed ? 1 : 0)
      .uint(this.historyFrom);
    packer.text(JSON.stringify(said));
    packer.uint(history ? 1 : 0);
    if (history) {
      packer.text(history.version);
      history.write(packer);
    }
    packer.uint(open ? 1 : 0);
    open?.write(packer);
    return packer.take();
  }

  decode(bytes: Buffer): this {
    const from = new PackReader(bytes);
    this.findings = null;
    this.plan = JSON.parse(from.text()) as ModelPlan | null;
    this.failed = from.uint() === 1;
    this.historyFrom = from.uint();
    this.said = JSON.parse(from.text()) as Said | null;
    if (from.uint() === 1) this.history = new ControlHistory(from.text()).read(from);
    if (from.uint() === 1 && this.plan?.rollout) this.open = new RolloutEvidence(this.plan.rollout).read(from);
    return this;
  }
}

/** Counts and times that a bucket must have to be folded at all; anything else is left alone. */
function isBucket(bucket: BucketSummary): boolean {
  if (!isCount(bucket.routedFrom) || !isCount(bucket.routedTo) || !(bucket.ageMs >= 0)) return false;
  for (const version in bucket.versions) {
    const arm = bucket.versions[version]!;
    if (!isCount(arm.routed) || !isCount(arm.pending) || !isCount(arm.intended)) return false;
  }
  return true;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Least of some log times; -1, which nothing has passed, if there are none. */
function least(timesMs: readonly number[]): number {
  return timesMs.length === 0 ? -1 : Math.min(...timesMs);
}
