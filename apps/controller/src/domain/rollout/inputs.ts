import type { Command, CommandResult, Decision, RolloutState, Verdict } from '@app/shared';

/** Everything that can move a model. */
export type RolloutInput =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'command'; readonly command: Command }
  | TimerInput
  | ReadinessInput;

/** Asks what is due. May come late, twice, or never in between. */
export interface TimerInput {
  readonly kind: 'timer';
  /**
   * For how long no fresh verdict about the present generation has come, ms of a clock that does not jump; at most for as
   * long as this controller has been listening.
   */
  readonly silentForMs: number;
}

/** What the canary answered when it was asked whether it is ready. */
export interface ReadinessInput {
  readonly kind: 'readiness';
  /** The rollout it was asked for: an answer that comes after its end means nothing. */
  readonly rollout: string;
  readonly ready: boolean;
  /** What was asked and what came back, for people. */
  readonly detail: string;
}

export interface TransitionContext {
  /** Wall-clock time, ms since the epoch. */
  readonly nowMs: number;
}

/** What became of a model by one input. The same state and input always give the same. */
export interface Transition {
  /** Null: the model is not known, and the input did not make it known. */
  readonly state: RolloutState | null;
  /** In order, without gaps in their sequence; empty when nothing was done. */
  readonly decisions: readonly Decision[];
  /** Of a command: also when it was carried out before. */
  readonly commandResult?: CommandResult;
  /** Why the input means nothing here, kebab-case. */
  readonly ignored?: string;
}
