import {
  ArmFigureSchema,
  CheckResultSchema,
  CommandResultSchema,
  DecisionReasonSchema,
  DecisionSchema,
  LabelSchema,
  PhaseSchema,
  RolloutFileSchema,
  RolloutProgressSchema,
  RolloutSpecSchema,
  RolloutStateSchema,
  VerdictSchema,
  VersionStateSchema,
} from '@app/shared';
import { type Static, type TSchema, Type as T } from '@sinclair/typebox';
import { ROLES } from './auth/roles.js';
import { READING_SCHEMAS } from './reading-schemas.js';

/** What the API answers with. The types of its handlers come from here, and so do those of its clients. */
const milliseconds = (description: string) => T.Integer({ minimum: 0, description });
const nullable = <S extends TSchema>(schema: S) => T.Union([schema, T.Null()]);

/** One thing that is wrong with a request, and what to do about it. */
const FieldProblemSchema = T.Object({
  field: T.String({ description: 'Where: a dotted path such as steps.0.traffic_split; empty for the whole.' }),
  code: T.String({ description: 'Stable, kebab-case.' }),
  message: T.String({ description: 'What is wrong and the remedy, one sentence.' }),
  line: T.Optional(T.Integer({ minimum: 1, description: 'Where in the text, when the body was text.' })),
  column: T.Optional(T.Integer({ minimum: 1 })),
});

/** RFC 9457. */
const ProblemSchema = T.Object({
  type: T.String({ description: 'urn:model-canary:problem:<code>' }),
  title: T.String(),
  status: T.Integer({ minimum: 400, maximum: 599 }),
  detail: T.String({ description: 'What is wrong and the remedy.' }),
  code: T.String({ description: 'Stable, kebab-case.' }),
  errors: T.Array(FieldProblemSchema),
});

const MeSchema = T.Object({
  name: T.String(),
  role: T.Union(ROLES.map((role) => T.Literal(role))),
  by: T.Union([T.Literal('token'), T.Literal('oidc'), T.Literal('nobody')], {
    description: 'How that is known; nobody: this controller asks for no token.',
  }),
});

const ModelViewSchema = T.Object({
  state: RolloutStateSchema,
  verdict: nullable(VerdictSchema),
});

const ModelListSchema = T.Object({ models: T.Array(ModelViewSchema) });

const HistorySchema = T.Object({ model: T.String(), decisions: T.Array(DecisionSchema) });

const VersionFiguresSchema = T.Object({
  routed: T.Integer({ minimum: 0 }),
  errors: T.Integer({ minimum: 0 }),
  labelled: T.Integer({ minimum: 0 }),
  right: T.Integer({ minimum: 0 }),
  latencyMs: T.Object({
    p50: nullable(T.Number()),
    p95: nullable(T.Number()),
    p99: nullable(T.Number()),
  }),
  labelDelayMs: T.Object(
    { p50: nullable(T.Number()), p95: nullable(T.Number()) },
    { description: 'How long after their predictions the labels came.' },
  ),
});

const WindowSchema = T.Object({
  startMs: milliseconds('Since the epoch.'),
  durationMs: milliseconds('Of this window.'),
  versions: T.Record(T.String(), VersionFiguresSchema),
});

const WindowsSchema = T.Object({ model: T.String(), windows: T.Array(WindowSchema) });

const CommandDoneSchema = T.Object({
  result: CommandResultSchema,
  decisions: T.Array(DecisionSchema, {
    description: 'Those it caused, oldest first; empty where nothing was left to do.',
  }),
  state: RolloutStateSchema,
});

const StepEstimateSchema = T.Object({
  step: T.Integer({ minimum: 0, description: 'Index into spec.steps.' }),
  durationMs: nullable(T.Number()),
  waitsFor: T.Union([
    T.Literal('evidence'),
    T.Literal('labels'),
    T.Literal('predictions'),
    T.Literal('minimum'),
    T.Literal('pause'),
    T.Literal('person'),
    T.Literal('traffic'),
  ]),
  check: T.Optional(T.String()),
});

const DurationEstimateSchema = T.Object({
  predictionsPerSecond: T.Number(),
  totalMs: nullable(T.Number()),
  waitsForPerson: T.Boolean(),
  steps: T.Array(StepEstimateSchema),
  warnings: T.Array(FieldProblemSchema),
});

const AppliedSchema = T.Object({
  model: T.String(),
  rollout: T.Union([T.String(), T.Null()], { description: 'Null for a file that only registers a model.' }),
  dryRun: T.Boolean(),
  changed: T.Boolean({
    description: 'False: the same rollout was open already, or the model stood like that already.',
  }),
  spec: RolloutSpecSchema,
  warnings: T.Array(FieldProblemSchema),
  estimate: nullable(DurationEstimateSchema),
  decisions: T.Array(DecisionSchema),
  state: nullable(RolloutStateSchema),
});

const LabelsAcceptedSchema = T.Object({ accepted: T.Integer({ minimum: 0 }) });
const LabelListSchema = T.Object({ labels: T.Array(LabelSchema) });

type Fixed<T> = T extends object ? { readonly [K in keyof T]: Fixed<T[K]> } : T;
type Shown<S extends TSchema> = Fixed<Static<S>>;

export type ProblemDetails = Shown<typeof ProblemSchema>;
export type Me = Shown<typeof MeSchema>;
export type ModelView = Shown<typeof ModelViewSchema>;
export type ModelList = Shown<typeof ModelListSchema>;
export type History = Shown<typeof HistorySchema>;
export type VersionFigures = Shown<typeof VersionFiguresSchema>;
export type WindowView = Shown<typeof WindowSchema>;
export type Windows = Shown<typeof WindowsSchema>;
export type CommandDone = Shown<typeof CommandDoneSchema>;
export type Applied = Shown<typeof AppliedSchema>;
export type LabelsAccepted = Shown<typeof LabelsAcceptedSchema>;
export type Fleet = Shown<typeof READING_SCHEMAS.Fleet>;
export type FleetRow = Shown<typeof READING_SCHEMAS.FleetRow>;
export type FleetChange = Shown<typeof READING_SCHEMAS.FleetChange>;
export type RolloutList = Shown<typeof READING_SCHEMAS.RolloutList>;
export type RolloutView = Shown<typeof READING_SCHEMAS.RolloutRecord>;
export type VerdictSeriesView = Shown<typeof READING_SCHEMAS.VerdictSeries>;
export type ConsoleView = Shown<typeof READING_SCHEMAS.Console>;

/** All named schemas of the document. */
export const API_SCHEMAS = {
  Problem: ProblemSchema,
  FieldProblem: FieldProblemSchema,
  Me: MeSchema,
  ModelView: ModelViewSchema,
  ModelList: ModelListSchema,
  History: HistorySchema,
  Windows: WindowsSchema,
  Window: WindowSchema,
  VersionFigures: VersionFiguresSchema,
  CommandDone: CommandDoneSchema,
  CommandResult: CommandResultSchema,
  Applied: AppliedSchema,
  DurationEstimate: DurationEstimateSchema,
  StepEstimate: StepEstimateSchema,
  LabelsAccepted: LabelsAcceptedSchema,
  LabelList: LabelListSchema,
  Label: LabelSchema,
  RolloutFile: RolloutFileSchema,
  TrafficSplit: T.Record(T.String(), T.Number({ minimum: 0, maximum: 1 }), {
    description: 'Fractions of the traffic by version, at most four decimals; they sum to 1.',
  }),
  RolloutSpec: RolloutSpecSchema,
  RolloutState: RolloutStateSchema,
  RolloutProgress: RolloutProgressSchema,
  Phase: PhaseSchema,
  VersionState: VersionStateSchema,
  VersionStates: T.Record(T.String(), VersionStateSchema),
  Decision: DecisionSchema,
  DecisionReason: DecisionReasonSchema,
  Verdict: VerdictSchema,
  CheckResult: CheckResultSchema,
  ArmFigure: ArmFigureSchema,
  ...READING_SCHEMAS,
} as const;

export type SchemaName = keyof typeof API_SCHEMAS;
