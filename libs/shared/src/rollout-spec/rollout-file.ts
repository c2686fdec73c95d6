import { type Static, type TSchema, Type as T } from '@sinclair/typebox';
import { CustomChecksSchema, DriftCheckSchema, SegmentsSchema } from './watched-more-file.js';

/**
 * The shape of a rollout file as a user writes it. `remedy` says what to write instead; it becomes part of the refusal.
 * What the values mean together (sums, rising steps, known versions) is checked after the shape.
 */
declare module '@sinclair/typebox' {
  interface SchemaOptions {
    remedy?: string;
  }
}

const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$';
const NAME_REMEDY =
  'a name has letters, digits, dots, hyphens and underscores (at most 100); put quotes around numbers';

const name = T.String({ pattern: NAME_PATTERN, remedy: NAME_REMEDY });
const duration = T.String({ remedy: 'a duration such as 250ms, 30s, 5m or 1h30m' });
const closed = { additionalProperties: false };

const fraction = (remedy: string): TSchema & { static: number } =>
  T.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, remedy });
const count = (minimum: number, maximum: number, remedy: string): TSchema & { static: number } =>
  T.Integer({ minimum, maximum, remedy });

/** `off` switches something off; absent means its default. */
const off = T.Union([T.Literal('off'), T.Literal(false)]);
const orOff = <S extends TSchema>(schema: S, remedy: string) => T.Union([schema, off], { remedy });

const VersionSchema = T.Object(
  {
    version: name,
    url: T.String({ remedy: 'the base URL of the model server, e.g. http://10.0.0.5:9001' }),
    deadline: T.Optional(duration),
    maxConcurrency: T.Optional(count(1, 1_000_000, 'a whole number from 1, e.g. 1024')),
  },
  { ...closed, remedy: 'write it as { version: v1, url: http://10.0.0.5:9001 }' },
);

const StepSchema = T.Object(
  {
    traffic_split: T.Optional(T.Unknown({ documentedAs: 'TrafficSplit' })),
    shadow: T.Optional(
      T.Object(
        {
          fraction: T.Number({
            exclusiveMinimum: 0,
            maximum: 1,
            remedy: 'a fraction of the predictions, above 0 and at most 1, e.g. 0.5',
          }),
        },
        { ...closed, remedy: 'write it as { fraction: 0.5 }' },
      ),
    ),
    pause: T.Optional(
      T.Union([T.Null(), T.Object({ duration: T.Optional(duration) }, closed)], {
        remedy: 'write pause: {} to wait for a person, or pause: { duration: 10m }',
      }),
    ),
    atLeast: T.Optional(
      T.Object(
        {
          predictions: T.Optional(count(0, 1_000_000_000, 'a whole number of canary predictions, e.g. 1000')),
          duration: T.Optional(duration),
        },
        { ...closed, remedy: 'write it as { predictions: 1000, duration: 1m }' },
      ),
    ),
    atMost: T.Optional(T.Object({ duration }, { ...closed, remedy: 'write it as { duration: 4h }' })),
  },
  {
    ...closed,
    remedy: 'a step is { traffic_split: { v1: 0.9, v2: 0.1 } }, { pause: {} } or, first, { shadow: { fraction: 0.5 } }',
  },
);

const QuantileSchema = orOff(
  T.Object(
    {
      maxRatio: T.Optional(
        orOff(
          T.Number({ exclusiveMinimum: 1, maximum: 100, remedy: 'a ratio above 1, e.g. 1.2 for 20 % slower' }),
          'a ratio above 1, e.g. 1.2, or off',
        ),
      ),
      maxMs: T.Optional(T.Number({ exclusiveMinimum: 0, maximum: 3_600_000, remedy: 'milliseconds, e.g. 250' })),
      minIncreaseMs: T.Optional(T.Number({ minimum: 0, maximum: 60_000, remedy: 'milliseconds, e.g. 5' })),
    },
    closed,
  ),
  'write it as { maxRatio: 1.2, maxMs: 250 }, or off',
);

const strict = T.Optional(T.Boolean({ remedy: 'true or false' }));

const LatencySchema = orOff(
  T.Object(
    { p50: T.Optional(QuantileSchema), p95: T.Optional(QuantileSchema), p99: T.Optional(QuantileSchema), strict },
    closed,
  ),
  'write it as { p50: { maxRatio: 1.2 }, p99: { maxRatio: 1.2 } }, or off',
);

const ChecksSchema = T.Object(
  {
    errorRate: T.Optional(
      orOff(
        T.Object(
          {
            maxIncrease: T.Optional(fraction('a fraction between 0 and 1: 0.01 allows one point more errors')),
            max: T.Optional(fraction('a fraction between 0 and 1: 0.5 fails a canary with more errors than that')),
            strict,
          },
          closed,
        ),
        'write it as { maxIncrease: 0.01, max: 0.5 }, or off',
      ),
    ),
    accuracy: T.Optional(
      orOff(
        T.Object(
          {
            maxDrop: T.Optional(fraction('a fraction between 0 and 1: 0.02 allows two points less accuracy')),
            labelsWithin: T.Optional(duration),
            strict,
          },
          closed,
        ),
        'write it as { maxDrop: 0.02, labelsWithin: 5m }, or off',
      ),
    ),
    latency: T.Optional(LatencySchema),
    firstByte: T.Optional(LatencySchema),
    custom: CustomChecksSchema,
    drift: DriftCheckSchema,
    shadow: T.Optional(
      orOff(
        T.Object(
          {
            minAgreement: T.Optional(fraction('a fraction between 0 and 1: 0.9 wants the same answer in nine of ten')),
            maxDrop: T.Optional(
              orOff(fraction('a fraction between 0 and 1: 0.02 allows two points less accuracy'), 'a fraction, or off'),
            ),
          },
          closed,
        ),
        'write it as { minAgreement: 0.9, maxDrop: 0.02 }, or off',
      ),
    ),
  },
  { ...closed, remedy: 'checks are errorRate, accuracy, latency, firstByte, custom, drift and shadow' },
);

export const RolloutFileSchema = T.Object(
  {
    model: name,
    stable: VersionSchema,
    canary: T.Optional(VersionSchema),
    prediction: T.Optional(
      T.Object(
        {
          pointer: T.String({ pattern: '^(/([^~]|~[01])*)?$', remedy: 'a JSON pointer, e.g. /outputs/0/data/0' }),
          kind: T.Optional(T.Union([T.Literal('class'), T.Literal('number')], { remedy: 'write class or number' })),
          tolerance: T.Optional(
            T.Number({ minimum: 0, remedy: 'a number from 0; |prediction - label| up to it is right' }),
          ),
        },
        { ...closed, remedy: 'write it as { pointer: /outputs/0/data/0, kind: class }' },
      ),
    ),
    warmup: T.Optional(
      T.Object(
        {
          predictions: T.Optional(count(0, 1_000_000, 'a whole number of canary predictions, e.g. 200')),
          duration: T.Optional(duration),
        },
        { ...closed, remedy: 'write it as { predictions: 200, duration: 30s }' },
      ),
    ),
    steps: T.Optional(
      T.Array(StepSchema, {
        minItems: 1,
        maxItems: 100,
        remedy: 'a list of 1 to 100 steps, e.g. - { traffic_split: { v1: 0.9, v2: 0.1 } }',
      }),
    ),
    checks: T.Optional(ChecksSchema),
    segments: SegmentsSchema,
    onInconclusive: T.Optional(
      T.Union([T.Literal('pause'), T.Literal('rollback')], { remedy: 'write pause or rollback' }),
    ),
    alpha: T.Optional(
      T.Number({ minimum: 0.0001, maximum: 0.2, remedy: 'a probability from 0.0001 to 0.2, e.g. 0.01' }),
    ),
    beta: T.Optional(
      T.Number({ minimum: 0.0001, maximum: 0.5, remedy: 'a probability from 0.0001 to 0.5, e.g. 0.05' }),
    ),
  },
  { ...closed, remedy: 'a rollout file has model, stable, canary, steps and checks' },
);
export type RolloutFile = Static<typeof RolloutFileSchema>;
export type FileVersion = Static<typeof VersionSchema>;
export type FileStep = Static<typeof StepSchema>;
export type FileChecks = Static<typeof ChecksSchema>;
export type FileLatency = Exclude<Static<typeof LatencySchema>, 'off' | false>;
export type FileQuantile = Exclude<Static<typeof QuantileSchema>, 'off' | false>;
export type Off = Static<typeof off>;

export const isOff = (value: unknown): value is Off => value === 'off' || value === false;
