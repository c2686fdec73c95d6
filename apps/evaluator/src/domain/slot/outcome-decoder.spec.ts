import { isDeepStrictEqual } from 'node:util';
import type { BucketRecord, Outcome } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { seededRandom } from '../../testing/builders.js';
import { BucketDecoder } from './bucket-decoder.js';
import { OutcomeDecoder, type SlotOutcome } from './outcome-decoder.js';
import { judgeOutcomeRecord, readOutcomeRecord } from './read-outcome-record.js';

type Random = () => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const maybe = <T>(random: Random, chance: number, value: T): T | undefined => (random() < chance ? value : undefined);

function randomOutcome(random: Random): Outcome {
  const number = (): number => pick(random, [0, random(), -random() * 1e6, 1e21 * random(), 1e-9 * random()]);
  return {
    kind: 'outcome',
    schemaVersion: 1,
    predictionId: 'AEi5NKsSh3Xo66B4WByLa1l2FXS4Li5xI2XGWcpawayoQH0m8A2jLG7jormL',
    model: pick(random, ['digits', 'fraud', 'größe', 'a"b', 'm\\n']),
    version: pick(random, ['v1', 'v2', 'x'.repeat(200)]),
    generation: Math.floor(random() * 20),
    router: `router-${Math.floor(random() * 4)}-5f0c2ab98d3e7741`,
    lane: Math.floor(random() * 12),
    sequence: Math.floor(random() ** 4 * Number.MAX_SAFE_INTEGER),
    bucket: maybe(random, 0.9, Math.floor(random() * 1e9)),
    unit: Math.floor(random() * 64),
    routedAt: 1_795_356_130_000 + Math.floor(random() * 1e9),
    latencyMs: pick(random, [0, Math.round(random() * 3e5) / 1000, random() * 1000, 1e-7]),
    firstByteMs: maybe(random, 0.2, Math.round(random() * 1e6) / 1000),
    status: pick(random, ['ok', 'ok', 'error', 'timeout', 'overloaded', 'cancelled']),
    httpStatus: pick(random, [200, 0, 422, 503]),
    prediction: maybe(random, 0.7, pick<string | number>(random, ['7', 'cat', 'katzenähnlich', '', number()])),
    values: maybe(random, 0.2, { score: number(), [pick(random, ['n', '7', 'toString', ''])]: number() }),
    segment: maybe(random, 0.2, pick(random, ['', 'de', 'x'.repeat(100)])),
    predictionBin: maybe(random, 0.3, Math.floor(random() * 16_384)),
    fallback: maybe(random, 0.1, random() < 0.5),
    override: maybe(random, 0.1, random() < 0.5),
    shadow: maybe(random, 0.1, random() < 0.5),
  };
}

function randomBucket(random: Random): BucketRecord {
  const count = (): number => Math.floor(random() ** 8 * Number.MAX_SAFE_INTEGER);
  const ageMs = (): number => pick(random, [0, 50.25, random() * 1e6, 1e-7]);
  const names = ['v1', 'v2', '7', '3', 'größe', 'toString', '', 'x'.repeat(201)].filter(() => random() < 0.3);
  const counts = () => ({ routed: count(), intended: count(), pending: count(), dropped: count() });
  return {
    kind: 'bucket',
    schemaVersion: 1,
    model: pick(random, ['digits', 'fraud', 'größe', 'a"b', 'm\\n']),
    generation: Math.floor(random() * 20),
    router: `router-${Math.floor(random() * 4)}-5f0c2ab98d3e7741`,
    lane: Math.floor(random() * 12),
    sequence: count(),
    bucket: Math.floor(random() * 1e9),
    routedFrom: 1_795_356_130_000 + Math.floor(random() * 1e9),
    routedTo: 1_795_356_130_000 + Math.floor(random() * 1e9),
    ageMs: ageMs(),
    previousAgeMs: ageMs(),
    versions: Object.fromEntries(names.map((name) => [name, counts()])),
    final: random() < 0.5,
  };
}

/** Forms that a number, a text or anything else may have, in JSON or nearly so. */
const TOKENS = [
  ...['0', '-0', '1', '-1', '1.0', '01', '1.', '.5', '+1', '1e3', '1E+2', '1e-400', '1e999', '-1e999', '0x10', '1_0'],
  ...['63', '64', '999', '1000', '16383', '16384', '9007199254740991', '9007199254740992', '123456789012345678901'],
  ...['0.1', '0.30000000000000004', '123456789.123456', '1234567890123.45', '12345678901234.567', '5e-324', '0.0'],
  ...['"ok"', '"\\u006fk"', '"\\ud800"', '"ü"', '"😀"', '""', '"a\\"b"', '"\u0001"', '"\u007f"', '"\t"', '"1"'],
  ...['null', 'true', 'false', 'True', 'NaN', 'Infinity', '[]', '{}', '[1]', '{"a":1}', '{"a":"1"}', '{"a":1,"a":2}'],
  ...['{"v1":{"routed":1,"intended":1,"pending":0,"dropped":0}}', '{"v1":{"routed":1,"intended":1,"pending":0}}'],
  ...[
    '{"v1":{"dropped":1,"routed":2,"intended":3,"pending":4},"v1":{"routed":5,"intended":6,"pending":7,"dropped":8}}',
  ],
  ...['{"__proto__":{"routed":1,"intended":1,"pending":0,"dropped":0}}', '{"v1":{}}', '{"v1":1}', '{"v1":null}'],
  ...['{"v1":{"routed":1,"intended":1,"pending":0,"dropped":0,"more":1}}', '{"v1":{"routed":-1}}', '{"v1":[1]}'],
  ...['{"__proto__":1}', '{"constructor":2}', '{ "a":1}', '{"a":1,}', '{"b":1e5,"a":-2.5}', ''],
  ...[`"${'x'.repeat(100)}"`, `"${'x'.repeat(101)}"`, `"${'x'.repeat(500)}"`, `"${'x'.repeat(501)}"`],
  `{${Array.from({ length: 8 }, (_, i) => `"n${i}":${i}`).join(',')}}`,
  `{${Array.from({ length: 9 }, (_, i) => `"n${i}":${i}`).join(',')}}`,
];

/** The texts of a record's fields, to be put together in another way. */
const fieldsOf = (record: Outcome | BucketRecord): string[] =>
  Object.entries(record).flatMap(([name, value]) =>
    value === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(value)}`],
  );

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** Ways in which a record may differ from what a router writes; some of them leave it a good one. */
const MUTATIONS: readonly ((fields: string[], random: Random) => string)[] = [
  (fields) => `{${fields.join(',')}}`,
  (fields, random) => `{${shuffled(fields, random).join(',')}}`,
  (fields, random) => `{${fields.filter(() => random() > 0.05).join(',')}}`,
  (fields, random) => `{${[...fields, pick(random, fields)].join(',')}}`,
  (fields, random) => `{${shuffled([...fields, '"colour":"blue"'], random).join(',')}}`,
  (fields, random) => `{${shuffled([...fields, `"nested":${pick(random, TOKENS)}`], random).join(',')}}`,
  (fields, random) => `{ ${fields.join(pick(random, [', ', ',\n', ',\t', ',,']))} }`,
  (fields, random) => `{${fields.join(',')}}${pick(random, [' ', '\n', '}', ',', '\u0000'])}`,
  (fields) => `\ufeff{${fields.join(',')}}`,
  (fields, random) => {
    const changed = Math.floor(random() * fields.length);
    return `{${fields.map((text, i) => (i === changed ? `${text.split(':')[0]}:${pick(random, TOKENS)}` : text)).join(',')}}`;
  },
  (fields, random) => {
    const changed = Math.floor(random() * fields.length);
    const escaped = (text: string): string => text.replace(/[a-z]/, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
    return `{${fields.map((text, i) => (i === changed ? escaped(text) : text)).join(',')}}`;
  },
];

function mutatedBytes(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * bytes.length);
  const noise = Buffer.from([pick(random, [0, 9, 32, 34, 44, 45, 46, 48, 57, 58, 92, 101, 123, 125, 128, 255])]);
  switch (Math.floor(random() * 4)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at + 1)]);
  }
}

/** What a slot looks at; a prediction only where its bin is asked for. */
function lookedAt(of: SlotOutcome): Partial<Outcome> {
  const used = of.predictionBin === undefined ? { ...of, prediction: undefined } : of;
  const names = KNOWN.filter((name) => used[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, used[name]]));
}
const KNOWN = Object.keys(new OutcomeDecoder().outcome) as (keyof SlotOutcome)[];

/** Null if both read the same, in the same way; otherwise what each said. */
function difference(bytes: Buffer): unknown {
  const judged = judgeOutcomeRecord(bytes);
  const read = readOutcomeRecord(bytes);
  if (judged.kind === 'outcome' && read.kind === 'outcome') {
    const [expected, got] = [lookedAt(judged.outcome), lookedAt(read.outcome)];
    return isDeepStrictEqual(got, expected) ? null : { text: bytes.toString(), expected, got };
  }
  return isDeepStrictEqual(read, judged) ? null : { text: bytes.toString(), expected: judged, got: read };
}

/** Reads records of all kinds of forms in both ways. */
function compare(seed: number, randomRecord: (random: Random) => Outcome | BucketRecord): void {
  const random = seededRandom(seed);
  const [accepted, refused] = [new Set<number>(), new Set<number>()];
  for (let i = 0; i < 3_000; i++) {
    const way = Math.floor(random() * MUTATIONS.length);
    const whole = Buffer.from(MUTATIONS[way]!(fieldsOf(randomRecord(random)), random));
    const bytes = random() < 0.3 ? mutatedBytes(whole, random) : whole;
    const found = difference(bytes);
    if (found !== null) expect(found).toBeNull();
    (judgeOutcomeRecord(bytes).kind === 'refused' ? refused : accepted).add(way);
  }
  // Both ends of the question have been asked.
  expect([accepted.size, refused.size].every((ways) => ways > MUTATIONS.length / 2)).toBe(true);
}

describe('the decoder of bucket records', () => {
  it.each(seeds(6, 3))('accepts, refuses and reads what the parser and the schema do (seed %i)', (seed) => {
    compare(seed, randomBucket);
  });

  it('reads by itself what routers write', () => {
    const random = seededRandom(7);
    const decoder = new BucketDecoder();
    for (let i = 0; i < 500; i++) {
      const counts = { routed: i, intended: 7, pending: 1, dropped: 0 };
      const bucket = {
        ...randomBucket(random),
        model: 'digits',
        sequence: i,
        versions: { v1: counts, 'v2.0': counts },
      };
      const text = JSON.stringify(bucket);
      expect([decoder.decode(Buffer.from(text)), text]).toEqual([true, text]);
      expect(decoder.record).toEqual(bucket);
    }
  });
});

describe('the decoder of outcomes', () => {
  it.each(seeds(6, 3))('accepts, refuses and reads what the parser and the schema do (seed %i)', (seed) => {
    compare(seed, randomOutcome);
  });

  it('reads by itself what routers write, and what else has ASCII names and numbers of a usual length', () => {
    const random = seededRandom(7);
    const decoder = new OutcomeDecoder();
    for (let i = 0; i < 500; i++) {
      const outcome: Outcome = { ...randomOutcome(random), model: 'digits', prediction: 'cat', sequence: i };
      const { kind, schemaVersion, model, version, generation, router, ...rest } = outcome;
      // Routers begin with what is the same for many predictions.
      const asRoutersDo = { kind, schemaVersion, model, version, generation, router, ...rest };
      for (const text of [asRoutersDo, outcome].map((of) => JSON.stringify(of))) {
        expect([decoder.decode(Buffer.from(text)), text]).toEqual([true, text]);
        expect(decoder.outcome).toMatchObject({ model, sequence: i, version, router });
      }
    }
  });

  it('leaves nothing of one outcome in the next', () => {
    const random = seededRandom(8);
    const full = { ...randomOutcome(random), model: 'm', values: { a: 1 }, segment: 's', prediction: 'p' };
    const all = { ...full, predictionBin: 1, shadow: true, fallback: true, override: true, firstByteMs: 1, bucket: 3 };
    const { kind, schemaVersion, predictionId, model, version, generation, router, lane, sequence } = all;
    const { unit, routedAt, latencyMs, status, httpStatus } = all;
    const least = { kind, schemaVersion, predictionId, model, version, generation, router, lane, sequence };
    const decoder = new OutcomeDecoder();
    expect(decoder.decode(Buffer.from(JSON.stringify(all)))).toBe(true);
    const bytes = Buffer.from(JSON.stringify({ ...least, unit, routedAt, latencyMs, status, httpStatus }));
    expect(decoder.decode(bytes)).toBe(true);
    const seen = Object.entries(decoder.outcome).filter(([, value]) => value !== undefined);
    expect(seen.map(([name]) => name).sort()).toEqual(
      ['generation', 'httpStatus', 'lane', 'latencyMs', 'model', 'routedAt', 'router', 'sequence', 'status', 'unit', 'version'], // prettier-ignore
    );
  });

  it('tells thousands of names apart, whichever share a place', () => {
    const decoder = new OutcomeDecoder();
    const base = { ...randomOutcome(seededRandom(9)), prediction: undefined };
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 20_000; i++) {
        const model = `model-${i}`;
        decoder.decode(Buffer.from(JSON.stringify({ ...base, model })));
        if (decoder.outcome.model !== model) expect(decoder.outcome.model).toBe(model);
      }
  });
});
