import { type Static, Type as T } from '@sinclair/typebox';
import { PREDICTION_BINS } from './prediction-bins.js';
import { jsonCodec } from './validation.js';

/**
 * Topic prediction-outcome: what became of every prediction (`outcome`), what a bucket of them looks like so far
 * (`bucket`), and a sign of life in idle partitions (`tick`). Keyed by prediction id or router; the partition is
 * chosen by the router. See docs and design, "From a prediction to evidence".
 */
export const OUTCOME_STATUSES = ['ok', 'error', 'timeout', 'overloaded', 'cancelled'] as const;
export type OutcomeStatus = (typeof OUTCOME_STATUSES)[number];

const count = T.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const name = T.String({ minLength: 1, maxLength: 200 });

export const OutcomeSchema = T.Object({
  kind: T.Literal('outcome'),
  schemaVersion: T.Literal(1),
  predictionId: T.String({ minLength: 1, maxLength: 100 }),
  model: name,
  version: name,
  generation: count,
  /** Router id of this process: name and 64 random bits, new at each start. */
  router: name,
  /** The partition this record's lane belongs to. */
  lane: count,
  /** Rises by one in a lane; serves to drop duplicates and only that. */
  sequence: count,
  /** The bucket's number within its router; absent if the prediction is no evidence (an override or a shadow copy). */
  bucket: T.Optional(count),
  /** User group 0..63, by a hash independent of the assignment's. */
  unit: T.Integer({ minimum: 0, maximum: 63 }),
  /** When the router chose the version, ms since the epoch by the router's clock. */
  routedAt: count,
  /** From routing to the last byte of the answer, or to when it was given up. */
  latencyMs: T.Number({ minimum: 0 }),
  firstByteMs: T.Optional(T.Number({ minimum: 0 })),
  status: T.Union(OUTCOME_STATUSES.map((s) => T.Literal(s))),
  /** Status the model server answered with; 0 when there was no answer. */
  httpStatus: T.Integer({ minimum: 0, maximum: 999 }),
  prediction: T.Optional(T.Union([T.String({ maxLength: 500 }), T.Number()])),
  /** Numbers by name that the rollout's custom checks compare; at most 8. */
  values: T.Optional(T.Record(T.String({ maxLength: 100 }), T.Number(), { maxProperties: 8 })),
  /** What the request's segment header says; empty if it has none; absent unless the rollout has segments. */
  segment: T.Optional(T.String({ maxLength: 100 })),
  /** The prediction as binOfClass() or binOfNumber() has it; only while a rollout watches its drift. */
  predictionBin: T.Optional(T.Integer({ minimum: 0, maximum: PREDICTION_BINS - 1 })),
  /** A copy whose answer was thrown away. */
  shadow: T.Optional(T.Boolean()),
  /** The canary failed and stable answered: the record is the canary's; the answer is in no count of stable's. */
  fallback: T.Optional(T.Boolean()),
  /** The version was named by a tester's header: shown, never counted. */
  override: T.Optional(T.Boolean()),
});
export type Outcome = Static<typeof OutcomeSchema>;

export const BucketCountsSchema = T.Object({
  /** Predictions sent to this version. */
  routed: count,
  /** Predictions that the hash assigned to this version. Differs from routed only by a fault of the router. */
  intended: count,
  /** Of the routed ones, those whose outcome is not known yet. */
  pending: count,
  /** Of the routed ones, those whose outcome record was lost (the spool was full). */
  dropped: count,
});

export const BucketRecordSchema = T.Object({
  kind: T.Literal('bucket'),
  schemaVersion: T.Literal(1),
  model: name,
  generation: count,
  router: name,
  lane: count,
  sequence: count,
  bucket: count,
  /** Routing time of the bucket: when it was opened and cut. */
  routedFrom: count,
  routedTo: count,
  /** Time since the cut; 0 if the bucket was final when it was cut. */
  ageMs: T.Number({ minimum: 0 }),
  /** ageMs of the bucket record before this one; 0 if this is the first. */
  previousAgeMs: T.Number({ minimum: 0 }),
  versions: T.Record(T.String(), BucketCountsSchema),
  /** Nothing is pending any more: the bucket's last record. */
  final: T.Boolean(),
});
export type BucketCounts = Static<typeof BucketCountsSchema>;
export type BucketRecord = Static<typeof BucketRecordSchema>;

export const TickSchema = T.Object({ kind: T.Literal('tick'), schemaVersion: T.Literal(1) });
export type Tick = Static<typeof TickSchema>;

export const OutcomeRecordSchema = T.Union([OutcomeSchema, BucketRecordSchema, TickSchema]);
export type OutcomeRecord = Outcome | BucketRecord | Tick;

export const outcomeCodec = jsonCodec(OutcomeSchema);
export const bucketCodec = jsonCodec(BucketRecordSchema);
export const tickCodec = jsonCodec(TickSchema);
