import { readdirSync, readFileSync } from 'node:fs';
import { KAFKA_PERMISSIONS, type KafkaPermissions, TOPIC_TABLE, type TopicRole, VERSION } from '@app/shared';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALL, LEAST, STRIMZI } from '../helm/values.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const CHART = `${ROOT}deploy/helm/model-canary/`;
const read = (name: string): string => readFileSync(CHART + name, 'utf8');
const values = parse(read('values.yaml')) as Record<string, unknown>;
const templates = readdirSync(`${CHART}templates`).map((name) => [name, read(`templates/${name}`)] as const);

/** As helm merges: maps key by key, everything else replaced. */
function merged(base: unknown, over: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(base) || !isMap(over)) return over;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries(
    [...keys].map((key) => [key, key in over ? (key in base ? merged(base[key], over[key]) : over[key]) : base[key]]),
  );
}
const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(read('values.schema.json')) as object);
const problems = (given: object): string[] => {
  validate(merged(values, given));
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
};

describe('the values of the chart', () => {
  test.each([
    ['the least', LEAST],
    ['everything', ALL],
    ['Strimzi', STRIMZI],
  ])('%s is taken', (_, given) => {
    expect(problems(given)).toEqual([]);
  });

  test.each([
    ['nothing at all', {}, '/kafka/brokers'],
    ['brokers without a port', { ...LEAST, kafka: { brokers: 'kafka' } }, '/kafka/brokers'],
    ['a key that is not known', { ...LEAST, router: { replica: 3 } }, '"replica"'],
    ['a drain that takes too long', { ...LEAST, router: { drainDelayMs: 30_000 } }, '/router/drainDelayMs'],
    ['no replicas', { ...LEAST, controller: { ...LEAST.controller, replicas: 0 } }, '/controller/replicas'],
    ['a variable in small letters', { ...LEAST, env: { log_level: 'warn' } }, 'log_level'],
    [
      'an unknown login',
      { ...LEAST, kafka: { ...LEAST.kafka, sasl: { mechanism: 'gssapi' } } },
      '/kafka/sasl/mechanism',
    ],
  ])('%s is refused', (_, given, where) => {
    expect(problems(given).join('\n')).toContain(where);
  });

  test('that templates ask for are there, and are the right variables of the services', () => {
    const variables = new Set(
      [
        'libs/shared/src/config.ts',
        'libs/shared/src/sealing-config.ts',
        ...['router', 'evaluator', 'controller'].map((app) => `apps/${app}/src/config.ts`),
      ].flatMap((file) =>
        [...readFileSync(ROOT + file, 'utf8').matchAll(/^ {2}([A-Z][A-Z0-9_]+)[!?]?(?::| =)/gm)].map(
          ([, name]) => name!,
        ),
      ),
    );
    for (const [file, text] of templates) {
      for (const [, path] of text.matchAll(/\.Values\.([a-zA-Z.]+)/g)) {
        let value: unknown = values;
        for (const key of path!.split('.')) {
          expect(Object.keys(value as object), `${file}: .Values.${path}`).toContain(key);
          value = (value as Record<string, unknown>)[key];
        }
      }
      for (const [, name] of text.matchAll(/- \{ name: ([A-Z][A-Z0-9_]+),/g))
        expect(variables, `${file}: ${name}`).toContain(name!.replace(/_FILE$/, ''));
    }
  });
});

test('the chart is of the version that everything is', () => {
  expect(parse(read('Chart.yaml'))).toMatchObject({ name: 'model-canary', version: VERSION, appVersion: VERSION });
});

test('users of Kafka have the rights that the README names, and no others', () => {
  const { users } = parse(read('files/users.yaml')) as {
    users: {
      name: 'router' | 'evaluator' | 'controller';
      topics: { name: string; operations: string[] }[];
      groups: string[];
      transactionalIds: string[];
    }[];
  };
  expect(users.map(({ name }) => name)).toEqual(['router', 'evaluator', 'controller']);
  for (const { name, topics, groups, transactionalIds } of users) {
    const wanted: KafkaPermissions = KAFKA_PERMISSIONS[name];
    const rights = Object.entries(wanted.topics).map(([role, operations]) => ({
      name: TOPIC_TABLE[role as TopicRole].defaultName,
      operations: [...operations, 'Describe'],
    }));
    const sorted = (list: typeof topics): [string, string[]][] =>
      list.map((one): [string, string[]] => [one.name, [...new Set(one.operations)].sort()]).sort();
    expect(sorted(topics), name).toEqual(sorted(rights));
    expect({ groups, transactionalIds }, name).toEqual({
      groups: wanted.groups,
      transactionalIds: wanted.transactionalIds,
    });
  }
});
