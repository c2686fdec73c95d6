import { Type as T } from '@sinclair/typebox';

/** The shapes of what a rollout may watch beyond its usual checks, as a user writes them; see rollout-file.ts. */
const closed = { additionalProperties: false };
const size = (remedy: string) => T.Optional(T.Number({ exclusiveMinimum: 0, maximum: 1e12, remedy }));

const CustomCheckSchema = T.Object(
  {
    pointer: T.Optional(
      T.String({
        pattern: '^(/([^~]|~[01])*)?$',
        remedy: 'a JSON pointer to a number in the answer, e.g. /parameters/score',
      }),
    ),
    from: T.Optional(T.Union([T.Literal('answer'), T.Literal('label')], { remedy: 'write answer or label' })),
    value: T.Optional(T.String({ minLength: 1, maxLength: 100, remedy: "the number's name in the labels' values" })),
    maxIncrease: size('how much higher the mean may be, in its own unit, above 0, e.g. 0.05'),
    maxDrop: size('how much lower the mean may be, in its own unit, above 0, e.g. 0.05'),
    minEffect: size('the difference it should be quickest to see, above 0, e.g. 0.01'),
  },
  { ...closed, remedy: 'write it as { pointer: /parameters/score, maxDrop: 0.05 }' },
);

export const CustomChecksSchema = T.Optional(
  T.Record(T.String(), CustomCheckSchema, {
    maxProperties: 8,
    remedy: 'at most 8 checks by name, e.g. { score: { pointer: /parameters/score, maxDrop: 0.05 } }',
  }),
);

export const DriftCheckSchema = T.Optional(
  T.Union(
    [
      T.Object(
        {
          allowance: T.Optional(
            T.Number({
              minimum: 0,
              maximum: 10,
              remedy: "how much a class's odds may change, e.g. 0.1 for a tenth",
            }),
          ),
        },
        closed,
      ),
      T.Literal('off'),
      T.Literal(false),
    ],
    { remedy: 'write it as { allowance: 0.1 }, or off' },
  ),
);

export const SegmentsSchema = T.Optional(
  T.Object(
    {
      header: T.String({
        pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$",
        remedy: 'the name of a header, e.g. x-country',
      }),
      top: T.Optional(T.Integer({ minimum: 1, maximum: 20, remedy: 'a whole number from 1 to 20, e.g. 5' })),
    },
    { ...closed, remedy: 'write it as { header: x-country, top: 5 }' },
  ),
);
