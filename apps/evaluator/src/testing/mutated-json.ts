import { expect } from 'vitest';
import { seededRandom } from './builders.js';

export type Random = () => number;
export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
export const maybe = <T>(random: Random, chance: number, value: T): T | undefined =>
  random() < chance ? value : undefined;

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
const fieldsOf = (record: object): string[] =>
  Object.entries(record).flatMap(([name, value]: [string, unknown]) =>
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

/**
 * Reads thousands of records in all kinds of forms in two ways, which must not differ.
 * @param of.difference what each said, if that is not the same; else null.
 */
export function compareReadings(
  seed: number,
  of: {
    readonly random: (random: Random) => object;
    readonly difference: (bytes: Buffer) => unknown;
    readonly isAccepted: (bytes: Buffer) => boolean;
  },
): void {
  const random = seededRandom(seed);
  const [accepted, refused] = [new Set<number>(), new Set<number>()];
  for (let i = 0; i < 3_000; i++) {
    const way = Math.floor(random() * MUTATIONS.length);
    const whole = Buffer.from(MUTATIONS[way]!(fieldsOf(of.random(random)), random));
    const bytes = random() < 0.3 ? mutatedBytes(whole, random) : whole;
    const found = of.difference(bytes);
    if (found !== null) expect(found).toBeNull();
    (of.isAccepted(bytes) ? accepted : refused).add(way);
  }
  // Both ends of the question have been asked.
  expect([accepted.size, refused.size].every((ways) => ways > MUTATIONS.length / 2)).toBe(true);
}
