import { type Static, Type as T } from '@sinclair/typebox';
import type { RolloutSpec } from '../rollout-spec/rollout-spec.js';
import { jsonCodec } from './validation.js';
import { WeightsSchema } from './rollout-state.js';

/** Topic rollout-command (key = model): what a person or a program asked for. */
export const COMMAND_ACTIONS = [
  'apply',
  'promote',
  'promote-full',
  'pause',
  'resume',
  'abort',
  'undo',
  'set-traffic',
] as const;
export type CommandAction = (typeof COMMAND_ACTIONS)[number];

export const CommandSchema = T.Object({
  schemaVersion: T.Literal(1),
  /** Idempotency key: the same command sent twice acts once. */
  commandId: T.String({ minLength: 1, maxLength: 200 }),
  model: T.String({ minLength: 1, maxLength: 200 }),
  action: T.Union(COMMAND_ACTIONS.map((a) => T.Literal(a))),
  /** Whose token it was. */
  actor: T.String(),
  /** Who is said to have asked for it, when that is somebody else. */
  onBehalfOf: T.Optional(T.String()),
  reason: T.String(),
  at: T.Integer(),
  /** Of `apply`: the normalised spec. */
  spec: T.Optional(T.Unsafe<RolloutSpec>(T.Object({}, { documentedAs: 'RolloutSpec' }))),
  /** Of `set-traffic`. */
  weights: T.Optional(WeightsSchema),
  /** Acts only on this rollout, when named. */
  rollout: T.Optional(T.String()),
});
export type Command = Static<typeof CommandSchema>;
export const commandCodec = jsonCodec(CommandSchema);
