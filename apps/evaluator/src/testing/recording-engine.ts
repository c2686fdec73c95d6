import { hash } from 'node:crypto';
import type { EngineFactory } from '../domain/cut/engine-factory.js';
import type { CutContext, Judgement, ModelEngine } from '../domain/engine.js';
import type { ModelPlan } from '../domain/plan.js';
import type { BucketSummary, LabelShare, Summary } from '../domain/summary.js';

/** Sums over everything folded, by generation and version. */
export interface FoldedCounts {
  /** Final buckets. */
  buckets: number;
  routed: number;
  /** Outcomes of final buckets by cell key. */
  cells: Record<string, number>;
  leftOut: number;
}

/** Labelled predictions folded, by `generation/arm`. */
export type FoldedLabels = Record<string, { n: number; wrong: number }>;

interface RecordedState {
  readonly model: string;
  plan: ModelPlan | null;
  changed: boolean;
  /** Hash over all calls so far: any call more, less or other changes it, and with it every later judgement. */
  digest: string;
  cuts: number;
  /** By `generation/version`. */
  counts: Record<string, FoldedCounts>;
  labels: FoldedLabels;
}

/**
 * An engine for tests: no statistics, but a memory of every call. A judgement's reason is the digest of the calls, its
 * baseline the counts, so that equal verdicts mean equal calls.
 */
export class RecordingEngine implements ModelEngine {
  private constructor(private readonly state: RecordedState) {}

  static create(model: string): RecordingEngine {
    return new RecordingEngine({ model, plan: null, changed: false, digest: '', cuts: 0, counts: {}, labels: {} });
  }

  static decode(bytes: Buffer): RecordingEngine {
    return new RecordingEngine(JSON.parse(bytes.toString('utf8')) as RecordedState);
  }

  setPlan(plan: ModelPlan): void {
    this.call('plan', plan);
    this.state.plan = plan;
    this.state.changed = true;
  }

  beginCut(cut: CutContext): void {
    this.call('cut', cut);
    this.state.cuts += 1;
  }

  fold(summary: Summary): void {
    this.call('fold', summary);
    this.state.changed = true;
    if (summary.kind === 'bucket') this.count(summary);
    else if (summary.kind === 'label-share') this.countLabels(summary);
    else if (summary.kind === 'left-out')
      for (const [version, routed] of Object.entries(summary.routed))
        this.countsOf(summary.generation, version).leftOut += routed;
  }

  endCut(): Judgement | null {
    const rollout = this.state.plan?.rollout;
    if (!rollout || rollout.ended || !this.state.changed) return null;
    this.state.changed = false;
    const { digest, counts, labels } = this.state;
    return {
      rollout: rollout.rollout,
      step: rollout.step,
      generation: this.state.plan?.generation ?? 0,
      result: 'continue',
      reason: { code: 'recorded', text: digest },
      checks: [],
      evidence: { lnE: 0, lnLimit: 1 },
      counted: { stable: 0, canary: 0 },
      forecast: { predictionsToGo: null, minutesToGo: null },
      // A copy: the engine goes on counting in its own.
      baseline: structuredClone({ counts, labels }),
    };
  }

  encode(): Buffer {
    return Buffer.from(JSON.stringify(this.state));
  }

  urgent(): boolean {
    return this.state.model.startsWith('urgent');
  }

  private count(summary: BucketSummary): void {
    if (!summary.final) return;
    for (const [version, arm] of Object.entries(summary.versions)) {
      const counts = this.countsOf(summary.generation, version);
      counts.buckets += 1;
      counts.routed += arm.routed;
      arm.cells.keys.forEach((key, i) => (counts.cells[key] = (counts.cells[key] ?? 0) + arm.cells.counts[i]!));
    }
  }

  private countLabels(share: LabelShare): void {
    for (const arm of ['stable', 'canary'] as const) {
      const labels = (this.state.labels[`${share.generation}/${arm}`] ??= { n: 0, wrong: 0 });
      labels.n += share[arm].n;
      labels.wrong += share[arm].wrong;
    }
  }

  private countsOf(generation: number, version: string): FoldedCounts {
    return (this.state.counts[`${generation}/${version}`] ??= { buckets: 0, routed: 0, cells: {}, leftOut: 0 });
  }

  private call(name: string, argument: unknown): void {
    this.state.digest = hash('sha256', JSON.stringify([this.state.digest, name, argument]), 'hex');
  }
}

export const recordingEngines: EngineFactory = {
  version: 'recording',
  create: (model) => RecordingEngine.create(model),
  decode: (_model, bytes) => RecordingEngine.decode(bytes),
};
