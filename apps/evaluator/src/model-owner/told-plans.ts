import { cloudEventData, type Cut, type Decision, decisionCodec } from '@app/shared';
import type { PlanHistory } from '../domain/cut/plan-history.js';
import type { ModelPlan } from '../domain/plan.js';
import { plansTold } from '../domain/replay/plans-told.js';
import { abortable } from './abortable.js';
import type { OwnerDeps } from './owner-deps.js';

/** The plan of a model as it was known at a decision sequence; null for a model that nothing is known of. */
export type PlanAt = (model: string, sequence: number) => ModelPlan | null;

/** Of a model, the newest; a rollout has some ten. */
const DECISIONS_PER_MODEL_MAX = 500;

/**
 * Plans for folding along cuts again, each exactly as it was: one that is a little different gives another verdict. While
 * rollout-state still has a state, it tells; those that compaction has taken are told by the decisions, which are kept for
 * a year. Only if those are gone too, what a later state tells of it has to do.
 */
export async function plansOfCuts(
  deps: OwnerDeps,
  owner: number,
  cuts: Iterable<Pick<Cut, 'known'>>,
  signal: AbortSignal,
): Promise<PlanAt> {
  for (const { known } of cuts)
    for (const [model, sequence] of Object.entries(known))
      if (!deps.plans.exactAt(model, sequence)) return toldPlans(deps, owner, signal);
  return (model, sequence) => deps.plans.at(model, sequence);
}

/** As plansOfCuts, for cuts that are not known beforehand. */
export async function toldPlans(deps: OwnerDeps, owner: number, signal: AbortSignal): Promise<PlanAt> {
  const { plans } = deps;
  const decisions = await readDecisions(deps, owner, signal);
  const histories = new Map<string, PlanHistory>();
  for (const [model, own] of decisions) histories.set(model, plansTold(own, []).history);
  return (model, sequence) =>
    plans.exactAt(model, sequence) ?? histories.get(model)?.exactAt(model, sequence) ?? plans.at(model, sequence);
}

async function readDecisions(
  { bus, topics, logger }: OwnerDeps,
  owner: number,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Decision[]>> {
  const byModel = new Map<string, Decision[]>();
  const follower = bus.follower({
    topics: [topics.decision],
    partitions: [owner],
    readCommitted: true,
    onBatch: ({ records }) => {
      for (const { value, headers } of records) {
        const read = decisionCodec.decode(cloudEventData(value, headers ?? {}));
        if (!read.ok) continue;
        const decisions = byModel.get(read.value.model) ?? [];
        byModel.set(read.value.model, decisions);
        decisions.push(read.value);
        if (decisions.length > DECISIONS_PER_MODEL_MAX) decisions.shift();
      }
    },
    onError: (error) => logger.warn({ err: error, owner }, 'reading decisions again: goes on'),
  });
  try {
    await abortable(follower.caughtUp(), signal);
  } finally {
    await follower.close();
  }
  return byModel;
}
