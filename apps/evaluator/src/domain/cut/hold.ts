import type { Judgement } from '../engine.js';
import type { ModelPlan } from '../plan.js';

/**
 * Why the verdicts of a rollout are held whatever its engine says. A `fail` goes through all the same, except where there
 * is no engine: evidence of harm needs no history, and rolling back is the safe side.
 *
 *   evaluator-diverged    folding again gave other verdicts than were published; until the rollout ends
 *   evaluator-rebuilding  evidence of the present phase was lost; until the next phase, whose evidence is complete again
 *   records-missed        records were gone before they were read; until the next phase, likewise
 *   evaluator-failed      the engine threw; until the next rollout, which gets a new one
 */
export const HOLD_CODES = ['evaluator-diverged', 'evaluator-rebuilding', 'records-missed', 'evaluator-failed'] as const;
export type HoldCode = (typeof HOLD_CODES)[number];

export interface Hold {
  readonly code: HoldCode;
  readonly text: string;
  readonly rollout: string;
  /** Generation of the phase it belongs to; null: the whole rollout. */
  readonly generation: number | null;
}

export function holdOf(code: HoldCode, plan: ModelPlan): Hold | null {
  if (!hasOpenRollout(plan)) return null;
  const wholeRollout = code === 'evaluator-diverged' || code === 'evaluator-failed';
  if (!wholeRollout && plan.rollout.phases.length === 0) return null; // nothing was counted yet, so nothing was lost
  const generation = wholeRollout ? null : presentGeneration(plan);
  return { code, text: TEXTS[code], rollout: plan.rollout.rollout, generation };
}

const TEXTS: Readonly<Record<HoldCode, string>> = {
  'evaluator-diverged':
    'Counting the same records again gave another verdict than the one published. Nothing is promoted on this evidence; a failing canary is still rolled back. Promote or abort by hand, and report it.',
  'evaluator-rebuilding':
    'The evidence of this step was lost or belongs to another engine version, and is counted anew from here. Nothing is promoted on a part of it; a failing canary is still rolled back. Promote the step by hand, or abort and apply again.',
  'records-missed':
    'Records of this step were gone from their topic before the evaluator had read them: they are kept for too short a time. Nothing is promoted on a part of the evidence; a failing canary is still rolled back. Promote the step by hand, or abort and apply again.',
  'evaluator-failed':
    'The verdict engine stopped at a record of this model. Its log has the error. Promote or abort by hand.',
};

/** Whether a hold still holds under a plan. */
export function stillHolds(hold: Hold, plan: ModelPlan): boolean {
  if (!hasOpenRollout(plan) || plan.rollout.rollout !== hold.rollout) return false;
  return hold.generation === null || hold.generation === presentGeneration(plan);
}

/** The judgement as it may be published under a hold. */
export function underHold(judgement: Judgement, hold: Hold | null): Judgement {
  if (!hold || hold.rollout !== judgement.rollout || judgement.result === 'fail') return judgement;
  return { ...judgement, result: 'hold', reason: { code: hold.code, text: hold.text } };
}

/** What is said of a rollout whose engine cannot say anything. */
export function emptyJudgement(plan: PlanWithRollout): Judgement {
  const { rollout } = plan;
  return {
    rollout: rollout.rollout,
    step: rollout.step,
    generation: presentGeneration(plan),
    result: 'hold',
    reason: { code: 'evaluator-failed', text: TEXTS['evaluator-failed'] },
    checks: [],
    evidence: { lnE: 0, lnLimit: Math.log(1 / rollout.spec.alpha) },
    counted: { stable: 0, canary: 0 },
    forecast: { predictionsToGo: null, minutesToGo: null },
  };
}

export type PlanWithRollout = ModelPlan & { readonly rollout: NonNullable<ModelPlan['rollout']> };

export function hasOpenRollout(plan: ModelPlan): plan is PlanWithRollout {
  return plan.rollout !== null && !plan.rollout.ended;
}

function presentGeneration(plan: PlanWithRollout): number {
  return plan.rollout.phases.at(-1)?.generation ?? plan.generation;
}
