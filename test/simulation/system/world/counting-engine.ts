import type { EngineFactory } from '../../../../apps/evaluator/src/domain/cut/engine-factory.js';
import type { CutContext, Judgement, ModelEngine } from '../../../../apps/evaluator/src/domain/engine.js';
import type { ModelPlan, RolloutPlan } from '../../../../apps/evaluator/src/domain/plan.js';
import {
  type ArmCounts,
  CELL_CLASS,
  cellBin,
  cellClass,
  type Summary,
} from '../../../../apps/evaluator/src/domain/summary.js';
import { sketchBin } from '../../../../apps/evaluator/src/domain/sketch.js';
import { hashText } from '../machine/random.js';
import { SLOW_MS } from './stories.js';

interface Arm {
  n: number;
  bad: number;
  slow: number;
  labelled: number;
  wrong: number;
}

interface CountingState {
  readonly model: string;
  plan: ModelPlan | null;
  /** Of the present rollout, by `generation/version`. */
  arms: Record<string, Arm>;
  leftOut: number;
  /** Over everything folded, in its order: one fold more, less or elsewhere gives another. */
  digest: number;
  changed: boolean;
  saidMs: number;
  asOfMs: number;
  newestGapMs: number;
}

/** A verdict at least so often, as from the verdict engine. */
const SAY_EVERY_MS = 2_000;
const GAP_MS_MAX = 2_000;
const FAILS_FROM = 8;
const SLOW_BIN = sketchBin(SLOW_MS);

/**
 * A verdict engine of few words: it passes and fails by plain counts, after a dozen predictions where the real one needs
 * hundreds. It decides nothing that a statistician would sign, and its verdicts tell everything that it was given.
 */
class CountingEngine implements ModelEngine {
  constructor(private readonly state: CountingState) {}

  setPlan(plan: ModelPlan): void {
    const before = this.state.plan?.rollout?.rollout;
    if (plan.rollout?.rollout !== before) this.state.arms = {};
    this.state.plan = plan;
    this.note(`plan ${plan.generation} ${plan.rollout?.step}`);
  }

  beginCut({ asOfMs, outcomeLogTimesMs, labelLogTimesMs }: CutContext): void {
    this.state.asOfMs = asOfMs;
    this.state.newestGapMs = asOfMs - Math.min(...outcomeLogTimesMs, ...labelLogTimesMs);
  }

  fold(summary: Summary): void {
    switch (summary.kind) {
      case 'bucket':
        this.note(`${summary.router} ${summary.bucket} ${summary.ageMs}`);
        if (!summary.final) return;
        for (const [version, counts] of Object.entries(summary.versions))
          this.count(summary.generation, version, counts);
        return;
      case 'left-out':
        this.note(`out ${summary.router} ${summary.bucket}`);
        this.state.leftOut++;
        return;
      case 'label-share': {
        const { stable, canary, generation, stratum } = summary;
        this.note(`labels ${generation} ${stratum} ${stable.n} ${canary.n}`);
        const rollout = this.state.plan?.rollout;
        if (!rollout) return;
        for (const [version, { n, wrong }] of [
          [rollout.stable, stable],
          [rollout.canary, canary],
        ] as const) {
          const arm = this.arm(generation, version);
          arm.labelled += n;
          arm.wrong += wrong;
        }
        return;
      }
      case 'pair-share':
        return this.note(`pairs ${summary.generation} ${summary.stratum}`);
    }
  }

  endCut(): Judgement | null {
    const { state } = this;
    const rollout = state.plan?.rollout;
    if (!rollout || rollout.ended || rollout.phases.length === 0) return null;
    if (!state.changed && state.asOfMs - state.saidMs < SAY_EVERY_MS) return null;
    state.changed = false;
    state.saidMs = state.asOfMs;
    return this.judge(rollout);
  }

  encode(): Buffer {
    return Buffer.from(JSON.stringify(this.state));
  }

  urgent(): boolean {
    return false;
  }

  private judge(rollout: RolloutPlan): Judgement {
    const { state } = this;
    const phase = rollout.phases.at(-1)!;
    const all = Object.entries(state.arms)
      .filter(([name]) => name.endsWith(`/${rollout.canary}`))
      .map(([, arm]) => arm);
    const fails = (of: 'bad' | 'slow' | 'wrong', n: 'n' | 'labelled'): boolean => {
      const [bad, count] = [sum(all, of), sum(all, n)];
      return bad >= FAILS_FROM && bad > count / 2;
    };
    const failing = fails('bad', 'n')
      ? 'errors'
      : rollout.spec.checks.latency && fails('slow', 'n')
        ? 'latency'
        : fails('wrong', 'labelled')
          ? 'accuracy'
          : null;
    const step = rollout.spec.steps[rollout.step];
    const least = step && step.kind !== 'pause' ? step.atLeast : { predictions: 0, durationMs: Infinity };
    const canary = state.arms[`${phase.generation}/${rollout.canary}`]?.n ?? 0;
    const [labelled, wrong] = [sum(all, 'labelled'), sum(all, 'wrong')];
    const labels = rollout.spec.checks.accuracy ? labelled >= FAILS_FROM && wrong <= labelled / 2 : true;
    const passed =
      canary >= least.predictions &&
      state.asOfMs - phase.startedAt >= least.durationMs &&
      state.newestGapMs <= GAP_MS_MAX &&
      labels;
    const result = failing ? 'fail' : passed ? 'pass' : 'continue';
    return {
      rollout: rollout.rollout,
      step: rollout.step,
      generation: phase.generation,
      result,
      reason: { code: failing ?? result, text: JSON.stringify([state.arms, state.leftOut]) },
      checks: [],
      evidence: { lnE: state.digest, lnLimit: 0 },
      counted: { stable: state.arms[`${phase.generation}/${rollout.stable}`]?.n ?? 0, canary },
      forecast: { predictionsToGo: null, minutesToGo: null },
    };
  }

  private count(generation: number, version: string, { routed, cells }: ArmCounts): void {
    const arm = this.arm(generation, version);
    arm.n += routed;
    cells.keys.forEach((key, i) => {
      const kind = cellClass(key);
      if (kind === CELL_CLASS.error || kind === CELL_CLASS.clientError) arm.bad += cells.counts[i]!;
      else if (cellBin(key) > SLOW_BIN) arm.slow += cells.counts[i]!;
    });
  }

  private arm(generation: number, version: string): Arm {
    return (this.state.arms[`${generation}/${version}`] ??= { n: 0, bad: 0, slow: 0, labelled: 0, wrong: 0 });
  }

  private note(what: string): void {
    this.state.changed = true;
    this.state.digest = (Math.imul(this.state.digest, 31) + hashText(what)) >>> 0;
  }
}

const sum = (arms: readonly Arm[], of: keyof Arm): number => arms.reduce((total, arm) => total + arm[of], 0);

/** @param version another one gives other numbers. */
export const countingEngines = (version: string): EngineFactory => ({
  version,
  create: (model) =>
    new CountingEngine({
      model,
      plan: null,
      arms: {},
      leftOut: 0,
      digest: hashText(version),
      changed: false,
      saidMs: -1,
      asOfMs: -1,
      newestGapMs: Number.MAX_SAFE_INTEGER,
    }),
  decode: (_model, bytes) => new CountingEngine(JSON.parse(bytes.toString('utf8')) as CountingState),
});
