import {
  CheckResultSchema,
  DECISION_ACTIONS,
  DecisionSchema,
  ROLLOUT_STATUSES,
  RolloutSpecSchema,
  VERDICT_RESULTS,
  VerdictSchema,
} from '@app/shared';
import { type TSchema, Type as T } from '@sinclair/typebox';

/** What those who only look are answered with, the console before all: schemas as in schemas.ts. */
const time = T.Integer({ minimum: 0, description: 'Milliseconds since the epoch.' });
const nullable = <S extends TSchema>(schema: S) => T.Union([schema, T.Null()]);
const oneOf = <const V extends readonly string[]>(values: V) => T.Union(values.map((v) => T.Literal(v as V[number])));
const status = oneOf(ROLLOUT_STATUSES);
const Weights = T.Record(T.String(), T.Number({ minimum: 0, maximum: 1 }), {
  description: 'Fractions by version, as they are set.',
});
const CodedText = T.Object({ code: T.String(), text: T.String() });

const FleetRolloutSchema = T.Object({
  rollout: T.String(),
  status,
  stable: T.String(),
  canary: T.String(),
  step: T.Integer({ minimum: 0, description: 'Index of the present step.' }),
  steps: T.Integer({ minimum: 0, description: 'How many there are.' }),
  startedAt: time,
  stepStartedAt: time,
  endedAt: nullable(time),
  held: nullable(T.Object({ code: T.String(), text: T.String(), since: time })),
  pause: nullable(T.Object({ code: T.String(), text: T.String(), since: time, until: T.Optional(time) })),
});

const FleetVerdictSchema = T.Object({
  result: oneOf(VERDICT_RESULTS),
  reason: CodedText,
  asOf: T.Integer(),
  counted: VerdictSchema.properties.counted,
  forecast: VerdictSchema.properties.forecast,
  worst: T.Union([CheckResultSchema, T.Null()], { description: 'The check with most evidence against the canary.' }),
});

const FleetDecisionSchema = T.Object({
  sequence: T.Integer({ minimum: 1 }),
  action: oneOf(DECISION_ACTIONS),
  at: time,
  actor: T.String(),
  reason: CodedText,
});

const FleetRowSchema = T.Object({
  model: T.String(),
  stable: T.String(),
  canary: nullable(T.String()),
  weights: Weights,
  shadow: nullable(T.Object({ version: T.String(), fraction: T.Number() })),
  rollout: T.Union([FleetRolloutSchema, T.Null()], { description: 'The open rollout, or the last one.' }),
  verdict: T.Union([FleetVerdictSchema, T.Null()], { description: 'The newest one about that rollout.' }),
  last: nullable(FleetDecisionSchema),
});

const FleetSchema = T.Object({ models: T.Array(FleetRowSchema) });
const FleetChangeSchema = T.Object({
  models: T.Array(FleetRowSchema),
  gone: T.Array(T.String(), { description: 'Models that are no more.' }),
});

const rolloutFields = {
  rollout: T.String(),
  status,
  stable: nullable(T.String()),
  canary: nullable(T.String()),
  step: T.Integer({ minimum: 0, description: 'Index of the last step it was in.' }),
  startedAt: time,
  endedAt: nullable(time),
};

const RolloutLineSchema = T.Object({
  ...rolloutFields,
  reason: T.Union([T.String(), T.Null()], { description: 'Why it ended, or its last decision so far.' }),
});

const RolloutListSchema = T.Object({ model: T.String(), rollouts: T.Array(RolloutLineSchema) });

const RolloutRecordSchema = T.Object({
  ...rolloutFields,
  spec: T.Union([RolloutSpecSchema, T.Null()], {
    description: 'Its file as it was understood; null where it never started, or that is too long ago.',
  }),
  decisions: T.Array(DecisionSchema, {
    description: 'Those that are known, oldest first; an undo after its end is one of them.',
  }),
});

const numbers = T.Array(T.Number());
const numbersOrNull = T.Array(nullable(T.Number()));

const CheckSeriesSchema = T.Object({
  check: T.String(),
  segment: nullable(T.String()),
  unit: CheckResultSchema.properties.unit,
  gating: T.Boolean(),
  result: T.Array(nullable(CheckResultSchema.properties.result)),
  limit: numbersOrNull,
  n: numbersOrNull,
  stable: numbersOrNull,
  canary: numbersOrNull,
  difference: numbersOrNull,
  low: numbersOrNull,
  high: numbersOrNull,
  fail: numbersOrNull,
  pass: numbersOrNull,
});

const VerdictSeriesSchema = T.Object(
  {
    model: T.String(),
    rollout: T.String(),
    at: T.Array(T.Integer()),
    step: T.Array(T.Integer()),
    result: T.Array(oneOf(VERDICT_RESULTS)),
    code: T.Array(T.String()),
    lnE: numbers,
    lnLimit: numbers,
    stable: numbers,
    canary: numbers,
    checks: T.Array(CheckSeriesSchema),
  },
  {
    description:
      'Column by column: every list has one entry for each time in `at`; null where a verdict does not have that check.',
  },
);

const ConsoleSchema = T.Object({
  readOnly: T.Boolean({ description: 'It offers no actions.' }),
  nowMs: T.Integer({ minimum: 0, description: "This controller's clock: ages are shown by it." }),
});

export const READING_SCHEMAS = {
  Fleet: FleetSchema,
  FleetRow: FleetRowSchema,
  FleetRollout: FleetRolloutSchema,
  FleetVerdict: FleetVerdictSchema,
  FleetDecision: FleetDecisionSchema,
  FleetChange: FleetChangeSchema,
  RolloutList: RolloutListSchema,
  RolloutLine: RolloutLineSchema,
  RolloutRecord: RolloutRecordSchema,
  VerdictSeries: VerdictSeriesSchema,
  CheckSeries: CheckSeriesSchema,
  Console: ConsoleSchema,
} as const;
