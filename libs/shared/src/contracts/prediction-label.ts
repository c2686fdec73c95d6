import { type Static, Type as T } from '@sinclair/typebox';
import { jsonCodec } from './validation.js';

/** Topic prediction-label: the truth about a prediction, whenever it becomes known. Keyed by prediction id. */
export const LabelSchema = T.Object({
  kind: T.Optional(T.Literal('label')),
  predictionId: T.String({ minLength: 1, maxLength: 100 }),
  label: T.Union([T.String({ maxLength: 500 }), T.Number(), T.Boolean()]),
  /** Named numbers for custom metrics. */
  values: T.Optional(T.Record(T.String(), T.Number())),
  /** When the truth came to be, ms since the epoch. */
  occurredAt: T.Optional(T.Integer({ minimum: 0 })),
});
export type Label = Static<typeof LabelSchema>;
export const labelCodec = jsonCodec(LabelSchema);
