import type { RolloutState } from '@app/shared';
import { asCounted, type ModelPlan, planOf, type RolloutPlan } from '../plan.js';

/** A model's plan with the decision sequence it was true at. */
export interface KnownPlan {
  readonly sequence: number;
  readonly plan: ModelPlan;
  /** Sequence of the decision that ended the rollout. */
  readonly endedBySequence?: number;
}

export function knownPlanOf(state: RolloutState): KnownPlan {
  const endedBySequence = state.rollout?.endedBySequence;
  return {
    sequence: state.sequence,
    plan: planOf(state),
    ...(endedBySequence === undefined ? {} : { endedBySequence }),
  };
}

/**
 * What a newer plan tells of an earlier decision sequence: phases begun by then, whether the rollout had ended by then.
 * A rollout none of whose phases had begun by then is taken as not begun at all: without a phase nothing is counted.
 * Where the rollout before that one is wanted, the newer plan cannot tell: compaction has taken it away, and it has ended.
 */
export function restrictPlan(known: KnownPlan, sequence: number): ModelPlan {
  const { plan } = known;
  if (sequence >= known.sequence || !plan.rollout) return plan;
  const all = plan.rollout.phases;
  const phases = all.filter((phase) => phase.sequence <= sequence);
  const last = phases.at(-1);
  if (!last) {
    const first = all[0];
    return {
      ...plan,
      stable: plan.rollout.stable,
      generation: first ? first.generation - 1 : plan.generation,
      rollout: null,
    };
  }
  const ended = plan.rollout.ended && (known.endedBySequence ?? 0) <= sequence;
  if (ended) return plan;
  const rollout: RolloutPlan = { ...plan.rollout, phases, step: last.step, ended: false };
  return { model: plan.model, stable: rollout.stable, generation: last.generation, rollout };
}

/** Plans kept by model beside the newest one; a rollout has some ten decisions. */
const PLANS_PER_MODEL_MAX = 50;

/**
 * What is known of every model, as read from rollout-state. The topic is compacted, so its newest state is all that one
 * may count on; older plans are kept while they are still found in it, because they tell exactly what was known then.
 * What it tells is asCounted().
 */
export class PlanHistory {
  private readonly byModel = new Map<string, KnownPlan[]>();

  /** @param plansPerModelMax the oldest plans of a model go beyond it. */
  constructor(private readonly plansPerModelMax = PLANS_PER_MODEL_MAX) {}

  /** Adds a state as it is read. A state with a sequence that is there already changes nothing. */
  add(known: KnownPlan): void {
    const plans = this.byModel.get(known.plan.model) ?? [];
    this.byModel.set(known.plan.model, plans);
    if ((plans.at(-1)?.sequence ?? -1) >= known.sequence) return;
    plans.push(known);
    if (plans.length > this.plansPerModelMax) plans.shift();
  }

  newest(model: string): KnownPlan | undefined {
    const known = this.byModel.get(model)?.at(-1);
    return known && { ...known, plan: asCounted(known.plan) };
  }

  /** The plan of exactly this decision sequence; null if it is not there, or not any more. */
  exactAt(model: string, sequence: number): ModelPlan | null {
    const known = this.byModel.get(model)?.findLast((one) => one.sequence === sequence);
    return known ? asCounted(known.plan) : null;
  }

  /** The plan as it was known at a decision sequence; null for a model without a state. */
  at(model: string, sequence: number): ModelPlan | null {
    const plans = this.byModel.get(model);
    if (!plans) return null;
    const exact = plans.findLast((known) => known.sequence <= sequence);
    const next = plans.find((known) => known.sequence > sequence);
    const plan = exact?.sequence !== sequence && next ? restrictPlan(next, sequence) : exact?.plan;
    return plan ? asCounted(plan) : null;
  }

  models(): IterableIterator<string> {
    return this.byModel.keys();
  }
}
