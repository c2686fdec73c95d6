import type { Cut, Verdict } from '@app/shared';
import type { CutContext, Judgement, ModelEngine } from '../engine.js';
import type { ModelPlan } from '../plan.js';
import type { PlacedSummary } from '../summary.js';
import type { EngineFactory } from './engine-factory.js';
import { emptyJudgement, hasOpenRollout, type Hold, type HoldCode, holdOf, stillHolds, underHold } from './hold.js';
import { verdictOf } from './verdict-envelope.js';

/** What is said in place of a failed engine is said again after this much log time, so that it does not grow old. */
export const FAILED_REPEAT_MS = 5_000;

/** What the owner of a partition holds of one of its models. */
export interface OwnedModel {
  readonly model: string;
  /** Decision sequence of `plan`. */
  sequence: number;
  plan: ModelPlan;
  /** null: it threw, and is not asked again until the next rollout. */
  engine: ModelEngine | null;
  hold: Hold | null;
  /** While the engine has failed: log time of the cut that said so last. */
  failedSaidMs: number | null;
}

/** An engine that threw: a fault of the program, which holds this model and no other. */
export interface EngineFailure {
  readonly model: string;
  readonly error: unknown;
}

export interface FoldedCut {
  /** In the order of the models' names. */
  readonly verdicts: readonly Verdict[];
  readonly failures: readonly EngineFailure[];
}

/**
 * The models of one owner: a pure function of the cuts it is given and the summaries between them. Folding live and
 * folding again after a takeover are the same calls, so they give the same verdicts, byte for byte.
 */
export class OwnedModels {
  private readonly byName: Map<string, OwnedModel>;
  private inOrder: readonly OwnedModel[] | null = null;
  private evidenceLost: boolean;

  /** @param options.evidenceLost holds the open rollouts that the first cut makes known: part of their evidence is gone. */
  constructor(
    private readonly engines: EngineFactory,
    models: readonly OwnedModel[] = [],
    options: { readonly evidenceLost: boolean } = { evidenceLost: false },
  ) {
    this.byName = new Map(models.map((owned) => [owned.model, owned]));
    this.evidenceLost = options.evidenceLost;
  }

  get engineVersion(): string {
    return this.engines.version;
  }

  /** In the order of their names. */
  all(): readonly OwnedModel[] {
    this.inOrder ??= [...this.byName.values()].sort((a, b) => (a.model < b.model ? -1 : 1));
    return this.inOrder;
  }

  get(model: string): Readonly<OwnedModel> | undefined {
    return this.byName.get(model);
  }

  /** Whether a FAIL may be near in one of the models. */
  urgent(): boolean {
    return this.all().some((owned) => owned.engine?.urgent() ?? false);
  }

  hasOpenRollouts(): boolean {
    return this.all().some((owned) => hasOpenRollout(owned.plan));
  }

  /** Holds a model's open rollout; without one there is nothing to hold. Returns whether it is held now. */
  hold(model: string, code: HoldCode): boolean {
    const owned = this.byName.get(model);
    const hold = owned ? holdOf(code, owned.plan) : null;
    if (!owned || !hold) return false;
    owned.hold ??= hold;
    return true;
  }

  /**
   * Folds one cut: first the plans that it names as newly known, then the summaries in their order, then judgement.
   *
   * @param planAt the plan of a model as known at a decision sequence; null if its state is gone.
   */
  foldCut(
    cut: Cut,
    summaries: Iterable<PlacedSummary>,
    planAt: (model: string, sequence: number) => ModelPlan | null,
  ): FoldedCut {
    const failures: EngineFailure[] = [];
    const guarded = (owned: OwnedModel, act: (engine: ModelEngine) => void): void => {
      if (!owned.engine) return;
      try {
        act(owned.engine);
      } catch (error) {
        failures.push({ model: owned.model, error });
        owned.engine = null;
        owned.hold = holdOf('evaluator-failed', owned.plan);
      }
    };

    for (const [model, sequence] of Object.entries(cut.known)) {
      const plan = planAt(model, sequence);
      if (!plan) continue;
      const owned = this.newPlan(plan, sequence);
      guarded(owned, (engine) => engine.setPlan(plan));
    }
    const context = cutContext(cut);
    for (const owned of this.byName.values()) guarded(owned, (engine) => engine.beginCut(context));
    for (const { summary } of summaries) {
      if (summary.kind === 'missed') {
        for (const { model } of this.all()) this.hold(model, 'records-missed');
        continue;
      }
      const owned = this.byName.get(summary.model);
      if (owned) guarded(owned, (engine) => engine.fold(summary));
    }
    const verdicts: Verdict[] = [];
    for (const owned of this.all()) {
      let judgement: Judgement | null = null;
      guarded(owned, (engine) => (judgement = engine.endCut()));
      const said = whatToSay(owned, judgement, cut.asOf);
      if (said) verdicts.push(verdictOf(said, { model: owned.model, engineVersion: this.engineVersion, cut }));
    }
    this.evidenceLost = false;
    return { verdicts, failures };
  }

  private newPlan(plan: ModelPlan, sequence: number): OwnedModel {
    const owned = this.byName.get(plan.model);
    if (!owned) {
      const engine = this.engines.create(plan.model);
      const hold = this.evidenceLost ? holdOf('evaluator-rebuilding', plan) : null;
      const created: OwnedModel = { model: plan.model, sequence, plan, engine, hold, failedSaidMs: null };
      this.byName.set(plan.model, created);
      this.inOrder = null;
      return created;
    }
    if (owned.hold && !stillHolds(owned.hold, plan)) owned.hold = null;
    // A failed engine is replaced when nothing is held on it any more.
    if (!owned.engine && !owned.hold) owned.engine = this.engines.create(plan.model);
    owned.sequence = sequence;
    owned.plan = plan;
    owned.failedSaidMs = null;
    return owned;
  }
}

/** What is to be published of a model after a cut: its engine's judgement, or that it has none any more. */
function whatToSay(owned: OwnedModel, fresh: Judgement | null, asOfMs: number): Judgement | null {
  if (fresh) return underHold(fresh, owned.hold);
  if (owned.engine || !hasOpenRollout(owned.plan)) return null;
  if (owned.failedSaidMs !== null && asOfMs - owned.failedSaidMs < FAILED_REPEAT_MS) return null;
  owned.failedSaidMs = asOfMs;
  return emptyJudgement(owned.plan);
}

function cutContext(cut: Cut): CutContext {
  return {
    number: cut.number,
    outcomeLogTimesMs: cut.logTimes.outcome,
    labelLogTimesMs: cut.logTimes.label,
    asOfMs: cut.asOf,
  };
}
