import { type Static, Type as T } from '@sinclair/typebox';
import { jsonCodec } from './validation.js';

/** How one version fared with a prediction; who went away or was turned away is in no pair. */
const status = T.Union([T.Literal('ok'), T.Literal('error'), T.Literal('timeout')]);
const value = T.Union([T.String({ maxLength: 500 }), T.Number(), T.Null()]);

/**
 * In topic prediction-label: what both versions made of one prediction of a shadow step. Its key is that prediction's id,
 * as the label's is, so both come to the same partition.
 */
export const PairSchema = T.Object({
  kind: T.Literal('pair'),
  schemaVersion: T.Literal(1),
  /** Of the answer that the user got: stable's. */
  predictionId: T.String({ minLength: 1, maxLength: 100 }),
  /** What each predicted; null: it failed, or no prediction is configured or found. */
  stable: value,
  canary: value,
  /** Whether they say the same: equal classes, or numbers within the tolerance. Only where both are known. */
  agree: T.Optional(T.Boolean()),
  status: T.Object({ stable: status, canary: status }),
});
export type Pair = Static<typeof PairSchema>;
export type PairStatus = Pair['status']['canary'];
export const pairCodec = jsonCodec(PairSchema);
