import { type Static, Type as T } from '@sinclair/typebox';
import { jsonCodec } from './validation.js';
import { CheckResultSchema } from './rollout-verdict.js';

/** Topic rollout-decision (key = model): what was done, in order, and why. It alone tells the whole history. */
export const DECISION_ACTIONS = [
  'registered',
  'started',
  'weight-changed',
  'paused',
  'resumed',
  'promoted',
  'rolled-back',
  'aborted',
  'undone',
  'held',
  'released',
] as const;
export type DecisionAction = (typeof DECISION_ACTIONS)[number];

const Weights = T.Record(T.String(), T.Number({ minimum: 0, maximum: 1 }));

export const DecisionReasonSchema = T.Object({
  /** Stable code, kebab-case: errors-too-many, latency-too-slow, accuracy-too-low, passed, evaluator-silent, ... */
  code: T.String(),
  /** One or two sentences with the numbers and the limit. */
  text: T.String(),
  /** Every check as the verdict had it, the deciding ones first. */
  checks: T.Optional(T.Array(CheckResultSchema)),
});

export const DecisionCauseSchema = T.Union([
  T.Object({ kind: T.Literal('verdict'), verdictId: T.String() }),
  T.Object({ kind: T.Literal('command'), commandId: T.String() }),
  T.Object({ kind: T.Literal('timer'), timer: T.String() }),
]);

export const DecisionSchema = T.Object({
  schemaVersion: T.Literal(1),
  /** `<model>/<sequence>`: the same decision always has the same id. */
  decisionId: T.String(),
  /** Rises by one per model without gaps. */
  sequence: T.Integer({ minimum: 1 }),
  model: T.String(),
  rollout: T.Optional(T.String()),
  action: T.Union(DECISION_ACTIONS.map((a) => T.Literal(a))),
  from: Weights,
  to: Weights,
  generation: T.Integer({ minimum: 0 }),
  /** Status of the rollout after this decision. */
  phase: T.Optional(T.String()),
  step: T.Optional(T.Integer({ minimum: 0 })),
  reason: DecisionReasonSchema,
  cause: DecisionCauseSchema,
  /** Who: `system`, or whose token it was. */
  actor: T.String(),
  /** Who is said to have asked for it, when that is somebody else. */
  onBehalfOf: T.Optional(T.String()),
  /** When, ms since the epoch by the controller's clock. */
  at: T.Integer(),
  /** Versions that get no traffic any more. */
  safeToRemove: T.Array(T.String()),
  /** The whole spec; in `started` and `registered`. */
  spec: T.Optional(T.Unknown({ documentedAs: 'RolloutSpec' })),
  /** URLs and indexes; in decisions that change them. */
  versions: T.Optional(T.Unknown({ documentedAs: 'VersionStates' })),
});
export type Decision = Static<typeof DecisionSchema>;
export type DecisionReason = Static<typeof DecisionReasonSchema>;
export type DecisionCause = Static<typeof DecisionCauseSchema>;
export const decisionCodec = jsonCodec(DecisionSchema);
