import {
  assertNever,
  type Decision,
  type Phase,
  type RolloutSpec,
  type RolloutState,
  type VersionState,
} from '@app/shared';
import { type KnownPlan, knownPlanOf, PlanHistory } from '../cut/plan-history.js';
import { type DirectoryFacts, StateDirectory } from '../cut/state-directory.js';
import type { ModelPlan, RolloutPlan } from '../plan.js';

/** A plan, and when it was decided, ms by the controller's clock. */
export interface ToldPlan extends KnownPlan {
  readonly atMs: number;
}

/** What the topics tell of one model's plans, from its first decision that is still there. */
export interface PlansTold {
  readonly plans: readonly ToldPlan[];
  readonly history: PlanHistory;
  readonly directory: StateDirectory;
}

/**
 * Puts the plans of one model together: rollout-decision alone tells all of them, in order; rollout-state, which is
 * compacted, fills in where decisions are gone.
 *
 * @param decisions of the model, in order.
 * @param states of the model, in order; older ones are there as long as compaction leaves them.
 * @param specOf the spec to replay a rollout with, by default its own.
 */
export function plansTold(
  decisions: readonly Decision[],
  states: readonly RolloutState[],
  specOf: (rollout: string, spec: RolloutSpec) => RolloutSpec = (_, spec) => spec,
): PlansTold {
  const directory = new StateDirectory();
  const bySequence = new Map<number, ToldPlan>();
  for (const { facts, ...told } of plansOfDecisions(decisions)) {
    const plan = withSpec(told.plan, specOf);
    bySequence.set(told.sequence, { ...told, plan });
    const { rollout } = plan;
    if (facts) directory.add({ ...facts, ...(rollout ? { rollout } : {}) });
  }
  for (const state of states) {
    const { rollout } = state;
    directory.add(rollout ? { ...state, rollout: { ...rollout, spec: specOf(rollout.rollout, rollout.spec) } } : state);
    if (bySequence.has(state.sequence)) continue;
    const known = knownPlanOf(state);
    bySequence.set(state.sequence, { ...known, plan: withSpec(known.plan, specOf), atMs: state.updatedAt });
  }
  const plans = [...bySequence.values()].sort((a, b) => a.sequence - b.sequence);
  const history = new PlanHistory(Infinity);
  for (const known of plans) history.add(known);
  return { plans, history, directory };
}

function withSpec(plan: ModelPlan, specOf: (rollout: string, spec: RolloutSpec) => RolloutSpec): ModelPlan {
  const { rollout } = plan;
  return rollout ? { ...plan, rollout: { ...rollout, spec: specOf(rollout.rollout, rollout.spec) } } : plan;
}

interface DecidedPlan extends ToldPlan {
  /** What the decision tells of versions; null where it tells nothing. */
  readonly facts: Omit<DirectoryFacts, 'rollout'> | null;
}

/** The plan after each decision, from the first one on that carries a spec. */
function* plansOfDecisions(decisions: readonly Decision[]): Generator<DecidedPlan> {
  const specs = new Map<string, RolloutSpec>();
  for (const { action, rollout, spec } of decisions)
    if (action === 'started' && rollout !== undefined && spec) specs.set(rollout, spec as RolloutSpec);
  let plan: ModelPlan | null = null;
  let known: Omit<DirectoryFacts, 'rollout' | 'generation'> | null = null;
  let endedBySequence: number | undefined;
  for (const [i, decision] of decisions.entries()) {
    const awaited = decision.action === 'registered' ? nextRollout(decisions, i, plan) : decision.rollout;
    plan = planAfter(plan, decision, (awaited === undefined ? undefined : specs.get(awaited)) ?? null, awaited);
    if (!plan) continue;
    if (plan.rollout?.ended && endedBySequence === undefined) endedBySequence = decision.sequence;
    if (!plan.rollout?.ended) endedBySequence = undefined;
    const { spec, versions } = decision;
    if (spec && versions)
      known = factsOf(decision.model, spec as RolloutSpec, versions as Record<string, VersionState>);
    yield {
      sequence: decision.sequence,
      atMs: decision.at,
      plan,
      facts: known && { ...known, generation: decision.generation },
      ...(endedBySequence === undefined ? {} : { endedBySequence }),
    };
  }
}

function factsOf(
  model: string,
  { prediction }: RolloutSpec,
  versions: Record<string, VersionState>,
): Omit<DirectoryFacts, 'rollout' | 'generation'> {
  const versionIndexes = Object.fromEntries(Object.entries(versions).map(([name, { index }]) => [name, index]));
  return { model, versions, versionIndexes, ...(prediction ? { prediction } : {}) };
}

/** A file with a canary that registers the model anew begins a rollout with it, which the next decisions name. */
function nextRollout(decisions: readonly Decision[], i: number, plan: ModelPlan | null): string | undefined {
  if (!(decisions[i]!.spec as RolloutSpec | undefined)?.canary) return undefined;
  const next = decisions.slice(i + 1).find(({ rollout }) => rollout !== undefined)?.rollout;
  return next === plan?.rollout?.rollout ? undefined : next;
}

/**
 * What a decision makes of a plan; null: nothing is known yet. As the controller's steps do it.
 *
 * @param spec of the rollout the decision is about, as its `started` decision carries it.
 */
function planAfter(
  before: ModelPlan | null,
  decision: Decision,
  spec: RolloutSpec | null,
  rollout: string | undefined,
): ModelPlan | null {
  const { model, generation } = decision;
  const open = before?.rollout && before.rollout.rollout === rollout ? before.rollout : null;
  const withRollout = (changed: RolloutPlan | null): ModelPlan | null =>
    before && { ...before, generation, rollout: changed ?? before.rollout };
  const waiting = rollout !== undefined && spec && !open ? newRollout(model, rollout, spec) : null;
  switch (decision.action) {
    case 'registered': {
      const stable = (decision.spec as RolloutSpec | undefined)?.stable.version ?? before?.stable;
      return stable === undefined ? null : { model, stable, generation, rollout: waiting ?? before?.rollout ?? null };
    }
    case 'started': {
      if (rollout === undefined || !spec?.canary) return before;
      const begun = newRollout(model, rollout, spec);
      const [first] = spec.steps;
      const phases = first && first.kind !== 'pause' ? [phaseOf(decision, begun.stable)] : [];
      return { model, stable: begun.stable, generation, rollout: { ...begun, phases } };
    }
    case 'weight-changed': {
      if (!open) return withRollout(null); // by hand, without a rollout
      const phase = phaseOf(decision, open.stable);
      return withRollout({ ...fresh(open), phases: [...open.phases, phase], step: phase.step });
    }
    case 'paused':
      return withRollout(open && decision.step !== open.step ? { ...fresh(open), step: decision.step! } : open);
    case 'resumed':
      return withRollout(open && { ...open, resumedAt: decision.at });
    case 'promoted':
      return open && before && { ...before, stable: open.canary, generation, rollout: { ...fresh(open), ended: true } };
    case 'rolled-back':
    case 'aborted':
      return withRollout(open && { ...fresh(open), ended: true });
    case 'undone':
      return open && before && { ...before, stable: open.stable, generation };
    case 'held':
    case 'released':
      return withRollout(waiting);
    default:
      return assertNever(decision.action, 'action');
  }
}

/** A rollout that waits until its canary is ready. */
function newRollout(model: string, rollout: string, spec: RolloutSpec): RolloutPlan {
  const canary = spec.canary?.version ?? '';
  return { model, rollout, spec, stable: spec.stable.version, canary, phases: [], step: 0, ended: false };
}

function fresh({ resumedAt: _, ...rollout }: RolloutPlan): RolloutPlan {
  return rollout;
}

function phaseOf({ sequence, generation, step = 0, to, at }: Decision, stable: string): Phase {
  return { sequence, generation, step, weights: to, bake: (to[stable] ?? 0) === 0, startedAt: at };
}
