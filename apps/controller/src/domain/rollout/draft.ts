import type {
  Decision,
  DecisionAction,
  DecisionCause,
  DecisionReason,
  RolloutProgress,
  RolloutState,
  Weights,
} from '@app/shared';
import { DECISIONS_KEPT } from './limits.js';
import { completeWeights, sameWeights } from './weights.js';

/** A model while an input is being worked on: its state so far and the decisions that led there. */
export interface Draft {
  readonly state: RolloutState;
  readonly decisions: readonly Decision[];
  readonly nowMs: number;
  readonly cause: DecisionCause;
  readonly actor: string;
  readonly onBehalfOf?: string;
}

/** Numbers that a decision gives out. */
export interface DecisionNumbers {
  readonly sequence: number;
  readonly generation: number;
  readonly weights: Record<string, number>;
}

export interface NewDecision {
  readonly action: DecisionAction;
  readonly reason: DecisionReason;
  /** Present weights unless given. */
  readonly weights?: Weights;
  /** A routing change even where the weights stay the same (another URL, another arm). */
  readonly reroutes?: boolean;
  /** The rollout after this decision; unchanged unless given. */
  readonly rollout?: (rollout: RolloutProgress, numbers: DecisionNumbers) => RolloutProgress;
  /** Other fields of the state after this decision. */
  readonly patch?: Partial<RolloutState>;
  /** The decision carries spec and versions, so that the topic alone tells what was rolled out. */
  readonly spec?: unknown;
}

export type OpenRollout = RolloutProgress & { readonly status: 'waiting-ready' | 'progressing' | 'paused' };

export function isOpen(rollout: RolloutProgress | undefined): rollout is OpenRollout {
  switch (rollout?.status) {
    case 'waiting-ready':
    case 'progressing':
    case 'paused':
      return true;
    case 'promoted':
    case 'rolled-back':
    case 'aborted':
    case undefined:
      return false;
  }
}

/** The open rollout of a draft that must have one. */
export function openRollout(draft: Draft): OpenRollout {
  const { rollout } = draft.state;
  if (!isOpen(rollout)) throw new Error(`model ${draft.state.model} has no open rollout`);
  return rollout;
}

/** Takes one decision: the only place where sequence and generation rise and weights change. */
export function decide(draft: Draft, decision: NewDecision): Draft {
  const before = draft.state;
  const versions = decision.patch?.versions ?? before.versions;
  const weights = completeWeights(decision.weights ?? before.weights, Object.keys(versions));
  const reroutes = decision.reroutes === true || !sameWeights(before.weights, weights);
  const sequence = before.sequence + 1;
  const generation = before.generation + (reroutes ? 1 : 0);
  const rollout =
    before.rollout && decision.rollout
      ? decision.rollout(before.rollout, { sequence, generation, weights })
      : before.rollout;
  // While a rollout is open, or one is about to be, every version may be needed: stable for a rollback, the canary to begin.
  const allNeeded = isOpen(rollout) || decision.action === 'registered';
  const ofRollout = isOpen(before.rollout) || decision.action === 'undone' ? rollout : undefined;
  const record: Decision = {
    schemaVersion: 1,
    decisionId: `${before.model}/${sequence}`,
    sequence,
    model: before.model,
    ...(ofRollout ? { rollout: ofRollout.rollout, phase: ofRollout.status, step: ofRollout.step } : {}),
    action: decision.action,
    from: completeWeights(before.weights, []),
    to: weights,
    generation,
    reason: decision.reason,
    cause: draft.cause,
    actor: draft.actor,
    ...(draft.onBehalfOf === undefined ? {} : { onBehalfOf: draft.onBehalfOf }),
    at: draft.nowMs,
    safeToRemove: allNeeded ? [] : Object.keys(weights).filter((version) => weights[version] === 0),
    ...(decision.spec === undefined ? {} : { spec: decision.spec, versions }),
  };
  const state: RolloutState = {
    ...before,
    ...decision.patch,
    sequence,
    generation,
    weights,
    updatedAt: draft.nowMs,
    rollout,
    decisions: [...before.decisions, record].slice(-DECISIONS_KEPT),
  };
  return { ...draft, state, decisions: [...draft.decisions, record] };
}
