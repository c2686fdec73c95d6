import { type Static, Type as T } from '@sinclair/typebox';
import { jsonCodec } from './validation.js';

/** Topic rollout-verdict: what the data says (key = model), and the `cut` records of the evaluator (key = partition). */
export const VERDICT_RESULTS = ['pass', 'fail', 'continue', 'hold', 'invalid', 'inconclusive'] as const;
export type VerdictResult = (typeof VERDICT_RESULTS)[number];

const nullable = T.Union([T.Number(), T.Null()]);

export const ArmFigureSchema = T.Object({
  /** Predictions (or labelled predictions) counted. */
  n: T.Number({ minimum: 0 }),
  bad: T.Number({ minimum: 0 }),
  /** The figure a person reads: a rate, an accuracy, or milliseconds. null: not known. */
  value: nullable,
});

export const CheckResultSchema = T.Object({
  /** errorRate | accuracy | latency.p50 | latencyCeiling.p99 | firstByte.p50 | custom.<name> | predictionDrift ... */
  check: T.String(),
  /** Only this part of the traffic, as header=value: the segment in which the check says most against the canary. */
  segment: T.Optional(T.String()),
  /** Whether PASS waits for it. */
  gating: T.Boolean(),
  stable: T.Union([ArmFigureSchema, T.Null()]),
  canary: ArmFigureSchema,
  /** canary - stable, in the check's unit; null where there is no control. */
  difference: nullable,
  /** Two-sided 95 % interval of the difference that holds at every look; null while unknown. */
  interval: T.Union([T.Tuple([T.Number(), T.Number()]), T.Null()]),
  /** The limit in the unit of `difference` (for ceilings: in the unit of canary.value). */
  limit: T.Number(),
  unit: T.Union([T.Literal('fraction'), T.Literal('ms'), T.Literal('number')]),
  /** Log evidence that the canary is beyond the limit, and that it is within it; null where there is none. */
  evidence: T.Object({ fail: nullable, pass: nullable }),
  result: T.Union([T.Literal('pass'), T.Literal('fail'), T.Literal('continue'), T.Literal('no-data')]),
  /** Canary predictions still to go until a pass at the present growth; null: not at this rate. */
  predictionsToGo: nullable,
});
export type CheckResult = Static<typeof CheckResultSchema>;

export const CutPositionsSchema = T.Object({
  /** Next offset by partition: everything below is in. */
  outcome: T.Array(T.Integer({ minimum: 0 })),
  label: T.Array(T.Integer({ minimum: 0 })),
});
export type CutPositions = Static<typeof CutPositionsSchema>;

export const CutLogTimesSchema = T.Object({
  /** Log time by partition as the cut takes it, ms; -1: no record yet. */
  outcome: T.Array(T.Integer({ minimum: -1 })),
  label: T.Array(T.Integer({ minimum: -1 })),
});
export type CutLogTimes = Static<typeof CutLogTimesSchema>;

export const VerdictSchema = T.Object({
  kind: T.Literal('verdict'),
  schemaVersion: T.Literal(1),
  /** A hash of model, rollout, step and cut: the same data gives the same id. */
  verdictId: T.String(),
  engineVersion: T.String(),
  model: T.String(),
  rollout: T.String(),
  step: T.Integer({ minimum: 0 }),
  generation: T.Integer({ minimum: 0 }),
  result: T.Union(VERDICT_RESULTS.map((r) => T.Literal(r))),
  reason: T.Object({ code: T.String(), text: T.String() }),
  checks: T.Array(CheckResultSchema),
  /** ln of the combined evidence sum(omega E) and the line it is compared with, ln(1/alpha). */
  evidence: T.Object({ lnE: T.Number(), lnLimit: T.Number() }),
  /** Newest log time of the cut, ms. */
  asOf: T.Integer(),
  /** Canary and stable predictions of the present step that count. */
  counted: T.Object({ stable: T.Number(), canary: T.Number() }),
  /** Predictions to be waited for until a pass, and minutes at the present rate; null: not at this rate. */
  forecast: T.Object({ predictionsToGo: nullable, minutesToGo: nullable }),
  /** Number of the cut; rises with each cut of this owner partition. */
  cut: T.Object({ owner: T.Integer(), number: T.Integer(), positions: CutPositionsSchema }),
  /** In a rollout's first verdict: what it starts from (p windows, frozen latency thresholds). */
  baseline: T.Optional(T.Unknown()),
});
export type Verdict = Static<typeof VerdictSchema>;

export const CutSchema = T.Object({
  kind: T.Literal('cut'),
  schemaVersion: T.Literal(1),
  /** Partition of evaluator-checkpoint whose owner cut. */
  owner: T.Integer({ minimum: 0 }),
  number: T.Integer({ minimum: 1 }),
  positions: CutPositionsSchema,
  /** A slot's log time cannot be had again once it has gone on, and the engine's answers depend on it. */
  logTimes: CutLogTimesSchema,
  /** Newest of the log times. */
  asOf: T.Integer(),
  /** Models whose state the owner has newly read before this cut, with the decision sequence it has read up to. */
  known: T.Record(T.String(), T.Integer()),
});
export type Cut = Static<typeof CutSchema>;

export const verdictCodec = jsonCodec(VerdictSchema);
export const cutCodec = jsonCodec(CutSchema);
