import { type Static, Type as T } from '@sinclair/typebox';
import type { RolloutSpec } from '../rollout-spec/rollout-spec.js';
import { DecisionSchema } from './rollout-decision.js';
import { jsonCodec } from './validation.js';

/**
 * Topic rollout-state (compacted, key = model): the whole desired state of a model. Routers take weights and URLs from
 * it, the evaluator its plan, the controller everything.
 */
export const WeightsSchema = T.Record(T.String(), T.Number({ minimum: 0, maximum: 1 }));

export const VersionStateSchema = T.Object({
  /** Stable number of this version within the model, 0..255, carried in prediction ids. Never reused. */
  index: T.Integer({ minimum: 0, maximum: 255 }),
  url: T.String(),
  deadlineMs: T.Number({ exclusiveMinimum: 0 }),
  maxConcurrency: T.Integer({ minimum: 1 }),
});
export type VersionState = Static<typeof VersionStateSchema>;

/** One stretch of a rollout with one routing. `step` indexes spec.steps. */
export const PhaseSchema = T.Object({
  /** The decision that began it. */
  sequence: T.Integer({ minimum: 1 }),
  generation: T.Integer({ minimum: 1 }),
  step: T.Integer({ minimum: 0 }),
  weights: WeightsSchema,
  /** The canary gets everything: there is no control. */
  bake: T.Boolean(),
  startedAt: T.Integer(),
});
export type Phase = Static<typeof PhaseSchema>;

export const ROLLOUT_STATUSES = [
  'waiting-ready',
  'progressing',
  'paused',
  'promoted',
  'rolled-back',
  'aborted',
] as const;
export type RolloutStatus = (typeof ROLLOUT_STATUSES)[number];

export const RolloutProgressSchema = T.Object({
  /** Unique over all time: `<model>-<number>`. */
  rollout: T.String(),
  spec: T.Unsafe<RolloutSpec>(T.Object({}, { documentedAs: 'RolloutSpec' })),
  status: T.Union(ROLLOUT_STATUSES.map((s) => T.Literal(s))),
  stable: T.String(),
  canary: T.String(),
  /** Index into spec.steps. */
  step: T.Integer({ minimum: 0 }),
  /** Every phase so far, oldest first; empty while waiting for the canary to be ready. */
  phases: T.Array(PhaseSchema),
  startedAt: T.Integer(),
  stepStartedAt: T.Integer(),
  endedAt: T.Optional(T.Integer()),
  /** Sequence of the decision that ended it. */
  endedBySequence: T.Optional(T.Integer()),
  /** Why nothing moves, when nothing moves. */
  held: T.Optional(T.Object({ code: T.String(), text: T.String(), since: T.Integer() })),
  /** Why it is paused and since when; `until`: it goes on by itself then. Only while paused. */
  pause: T.Optional(
    T.Object({ code: T.String(), text: T.String(), since: T.Integer(), until: T.Optional(T.Integer()) }),
  ),
  /** When the present step was last resumed: its atMost and the evaluator's silence count from there. */
  resumedAt: T.Optional(T.Integer()),
  /** The command that asked for this rollout, and whose it was. */
  appliedBy: T.Optional(
    T.Object({ commandId: T.String(), actor: T.String(), onBehalfOf: T.Optional(T.String()), reason: T.String() }),
  ),
  /** The last verdict applied; older ones are ignored. */
  lastVerdict: T.Optional(
    T.Object({ verdictId: T.String(), cut: T.Integer(), asOf: T.Integer(), receivedAt: T.Integer() }),
  ),
});
export type RolloutProgress = Static<typeof RolloutProgressSchema>;

export const CommandResultSchema = T.Object({
  commandId: T.String(),
  result: T.Union([T.Literal('applied'), T.Literal('refused')]),
  reason: T.Optional(T.Object({ code: T.String(), text: T.String() })),
  sequence: T.Integer(),
});
export type CommandResult = Static<typeof CommandResultSchema>;

export const RolloutStateSchema = T.Object({
  schemaVersion: T.Literal(1),
  model: T.String(),
  /** Number of the last decision; rises by one with each. */
  sequence: T.Integer({ minimum: 0 }),
  /** Number of routing changes; only rises. */
  generation: T.Integer({ minimum: 0 }),
  updatedAt: T.Integer(),
  /** Salt of the assignment: the rollout's id, kept until another rollout begins. */
  salt: T.String(),
  stable: T.String(),
  canary: T.Optional(T.String()),
  /** Fractions that sum to 1 over the keys of `versions`. */
  weights: WeightsSchema,
  versions: T.Record(T.String(), VersionStateSchema),
  /** While copies are sent: to whom, and of which fraction of the predictions. The answers are compared and thrown away. */
  shadow: T.Optional(T.Object({ version: T.String(), fraction: T.Number({ exclusiveMinimum: 0, maximum: 1 }) })),
  prediction: T.Optional(
    T.Object({
      pointer: T.String(),
      kind: T.Union([T.Literal('class'), T.Literal('number')]),
      tolerance: T.Number({ minimum: 0 }),
    }),
  ),
  /** The open rollout, or the last one that ended. */
  rollout: T.Optional(RolloutProgressSchema),
  /** How many rollouts this model has had; numbers the next one. */
  rolloutCount: T.Integer({ minimum: 0 }),
  /** Highest version index given out. */
  versionIndexMax: T.Integer({ minimum: -1 }),
  /** Every version that ever had an index, for attribution of late labels. */
  versionIndexes: T.Record(T.String(), T.Integer()),
  /** The newest decisions, newest last, at most 20. */
  decisions: T.Array(DecisionSchema),
  /** The newest commands' results, newest last, at most 100: idempotency keys. */
  commands: T.Array(CommandResultSchema),
});
export type RolloutState = Static<typeof RolloutStateSchema>;
export const rolloutStateCodec = jsonCodec(RolloutStateSchema);
