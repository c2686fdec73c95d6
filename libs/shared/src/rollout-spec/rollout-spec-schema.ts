import { Type as T } from '@sinclair/typebox';

/** RolloutSpec (rollout-spec.ts) as a schema, for documents: what every command, decision and state of a rollout carries. */
const VersionSpecSchema = T.Object({
  version: T.String(),
  url: T.String(),
  deadlineMs: T.Number(),
  maxConcurrency: T.Integer(),
});

const atLeast = T.Object({ predictions: T.Integer(), durationMs: T.Number() });

const StepSchema = T.Union([
  T.Object({
    kind: T.Literal('traffic'),
    weights: T.Record(T.String(), T.Number({ minimum: 0, maximum: 1 })),
    atLeast,
    atMostMs: T.Optional(T.Number()),
  }),
  T.Object({ kind: T.Literal('shadow'), fraction: T.Number(), atLeast, atMostMs: T.Optional(T.Number()) }),
  T.Object({ kind: T.Literal('pause'), durationMs: T.Optional(T.Number()) }),
]);

const quantile = T.Optional(
  T.Object({
    maxRatio: T.Optional(T.Number()),
    maxMs: T.Optional(T.Number()),
    minIncreaseMs: T.Number(),
  }),
);
const latency = T.Optional(T.Object({ p50: quantile, p95: quantile, p99: quantile, strict: T.Boolean() }));

const ChecksSchema = T.Object({
  errorRate: T.Optional(T.Object({ maxIncrease: T.Number(), max: T.Number(), strict: T.Boolean() })),
  accuracy: T.Optional(T.Object({ maxDrop: T.Number(), labelsWithinMs: T.Number(), strict: T.Boolean() })),
  latency,
  firstByte: latency,
  custom: T.Optional(
    T.Record(
      T.String(),
      T.Object({
        from: T.Union([T.Literal('answer'), T.Literal('label')]),
        source: T.String(),
        worse: T.Union([T.Literal('higher'), T.Literal('lower')]),
        limit: T.Number(),
        minEffect: T.Number(),
      }),
    ),
  ),
  drift: T.Optional(T.Object({ allowance: T.Number() })),
  shadow: T.Optional(T.Object({ minAgreement: T.Optional(T.Number()), maxDrop: T.Optional(T.Number()) })),
});

export const RolloutSpecSchema = T.Object({
  model: T.String(),
  stable: VersionSpecSchema,
  canary: T.Optional(VersionSpecSchema),
  prediction: T.Optional(
    T.Object({
      pointer: T.String(),
      kind: T.Union([T.Literal('class'), T.Literal('number')]),
      tolerance: T.Number(),
    }),
  ),
  warmup: T.Object({ predictions: T.Integer(), durationMs: T.Number() }),
  steps: T.Array(StepSchema),
  checks: ChecksSchema,
  segments: T.Optional(T.Object({ header: T.String(), top: T.Integer() })),
  onInconclusive: T.Union([T.Literal('pause'), T.Literal('rollback')]),
  alpha: T.Number(),
  beta: T.Number(),
});
