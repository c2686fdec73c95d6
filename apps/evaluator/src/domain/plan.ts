import type { Phase, RolloutSpec, RolloutState } from '@app/shared';

/** What the engine must know of a rollout. Everything else it takes from the records. */
export interface RolloutPlan {
  readonly model: string;
  readonly rollout: string;
  readonly spec: RolloutSpec;
  readonly stable: string;
  readonly canary: string;
  /** Phases begun so far, oldest first, each with its own generation. */
  readonly phases: readonly Phase[];
  /** Index into spec.steps of where the rollout stands. */
  readonly step: number;
  readonly ended: boolean;
  /** When the present step was last resumed: its time limit counts from there. */
  readonly resumedAt?: number;
}

/** What is known of a model at one decision sequence. */
export interface ModelPlan {
  readonly model: string;
  readonly stable: string;
  /** Generation of the present routing. */
  readonly generation: number;
  readonly rollout: RolloutPlan | null;
}

/**
 * A plan as engines and holds get it: with its rollout only while there is something to count for it, from its first phase
 * to its end. The states of one decision sequence agree in that, whichever of them compaction has left: a rollout that
 * waits for its canary takes the place of an ended one in the state without a decision of its own.
 */
export function asCounted(plan: ModelPlan): ModelPlan {
  const { rollout } = plan;
  return rollout && (rollout.ended || rollout.phases.length === 0) ? { ...plan, rollout: null } : plan;
}

/** The plan that a state of the topic rollout-state gives. */
export function planOf(state: RolloutState): ModelPlan {
  const r = state.rollout;
  const rollout: RolloutPlan | null = r
    ? {
        model: state.model,
        rollout: r.rollout,
        spec: r.spec,
        stable: r.stable,
        canary: r.canary,
        phases: r.phases,
        step: r.step,
        ...(r.resumedAt === undefined ? {} : { resumedAt: r.resumedAt }),
        ended: r.status === 'promoted' || r.status === 'rolled-back' || r.status === 'aborted',
      }
    : null;
  return { model: state.model, stable: state.stable, generation: state.generation, rollout };
}
