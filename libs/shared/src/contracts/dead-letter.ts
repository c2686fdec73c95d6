import { type Static, Type as T } from '@sinclair/typebox';
import { jsonCodec } from './validation.js';

/** Topic dead-letter: a record that could not be used, with where it came from and why. */
export const DeadLetterSchema = T.Object({
  schemaVersion: T.Literal(1),
  topic: T.String(),
  partition: T.Integer(),
  offset: T.Integer(),
  cause: T.Object({ code: T.String(), text: T.String() }),
  /** Service that refused it. */
  by: T.String(),
  at: T.Integer(),
  /** The record's value, base64, cut at 64 kB; null for a tombstone. */
  value: T.Union([T.String(), T.Null()]),
  valueBytes: T.Integer(),
});
export type DeadLetter = Static<typeof DeadLetterSchema>;
export const deadLetterCodec = jsonCodec(DeadLetterSchema);
