import { existsSync, readdirSync, readFileSync } from 'node:fs';
import {
  bucketCodec,
  commandCodec,
  deadLetterCodec,
  decisionCodec,
  KAFKA_PERMISSIONS,
  type KafkaPermissions,
  labelCodec,
  outcomeCodec,
  pairCodec,
  parseRolloutSpec,
  type Problem,
  rolloutStateCodec,
  TOPIC_TABLE,
  TOPICS,
  verdictCodec,
} from '@app/shared';
import { describe, expect, it } from 'vitest';
import { readmeCommands } from '../../../test/e2e/driver/readme-commands.js';
import { STEPS } from '../../../test/e2e/driver/readme-story.js';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
/** Tables are padded by the formatter. */
const readme = read('README.md').replaceAll(/ {2,}\|/g, ' |');

const codecs = {
  'prediction-outcome': [outcomeCodec, bucketCodec],
  'prediction-label': [labelCodec, pairCodec],
  'rollout-verdict': [verdictCodec],
  'rollout-command': [commandCodec],
  'rollout-decision': [decisionCodec],
  'rollout-state': [rolloutStateCodec],
  'dead-letter': [deadLetterCodec],
};

const CONFIG_FILES = [
  'libs/shared/src/config.ts',
  'libs/shared/src/sealing-config.ts',
  'apps/router/src/config.ts',
  'apps/evaluator/src/config.ts',
  'apps/controller/src/config.ts',
  'apps/standalone/src/config.ts',
];

describe('the README', () => {
  it.each(Object.entries(codecs))('shows a record of %s that is one', (topic, formats) => {
    const records = [
      ...readme.matchAll(/<!-- record: (\S+) -->\n<!-- prettier-ignore -->\n```json\n([^`]+)```/g),
    ].filter((m) => m[1] === topic);
    expect(records).toHaveLength(formats.length);
    records.forEach(([, , json], index) => {
      const decoded = formats[index]!.decode(Buffer.from(json!));
      expect(decoded.ok ? [] : decoded.problems).toEqual([]);
    });
  });

  it('lists the topics as the table in the code has them', () => {
    for (const role of TOPICS) {
      const { defaultName, key, writtenBy, readBy, retentionMs } = TOPIC_TABLE[role];
      const kept = retentionMs === null ? 'compacted' : `${retentionMs / 86_400_000} d`;
      const row = `| ${[defaultName, key, writtenBy, readBy, kept].join(' | ')} |`;
      expect(readme.includes(row), row).toBe(true);
    }
  });

  it('lists the permissions that services need as the code has them', () => {
    const services = Object.entries<KafkaPermissions>(KAFKA_PERMISSIONS);
    const list = (names: readonly string[]) => names.map((name) => `\`${name.replace('{prefix}', 'ml.')}\``).join(', ');
    const row = (head: string, cell: (permissions: KafkaPermissions) => string) =>
      `| ${[head, ...services.map(([, permissions]) => cell(permissions))].join(' | ')} |`.replaceAll(/ {2,}\|/g, ' |');
    const rows = [
      `| ${['', ...services.map(([name]) => name)].join(' | ')} |`.replaceAll(/ {2,}\|/g, ' |'),
      ...TOPICS.map((role) => row(TOPIC_TABLE[role].defaultName, ({ topics }) => topics[role]?.join(', ') ?? '')),
      row('groups', ({ groups }) => list(groups)),
      row('transactional ids', ({ transactionalIds }) => list(transactionalIds)),
    ];
    const table = readme.slice(readme.indexOf('<!-- permissions -->'), readme.indexOf('<!-- /permissions -->'));
    const lines = table
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('|') && !line.startsWith('| --'));
    expect(lines).toEqual(rows);
  });

  it('shows rollout files that are right', () => {
    const files = [...readme.matchAll(/```yaml\n([^`]+)```/g)]
      .map(([, text]) => text!)
      .filter((text) => /^model:/m.test(text));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(problemsOf(file)).toEqual([]);
  });

  it('names every environment variable of the services, and no other', () => {
    const variable = /^ {2}([A-Z][A-Z0-9_]+)[!?]?(?::| =)/gm;
    const [common, ...others] = CONFIG_FILES.map((file) => [...read(file).matchAll(variable)].map(([, name]) => name!));
    const declared = [...common!, ...others.flat().filter((name) => !common!.includes(name))];
    const table = readme.slice(readme.indexOf('<!-- configuration -->'), readme.indexOf('<!-- /configuration -->'));
    expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)).toEqual(declared);
  });

  it('has no command that no test runs', () => {
    const commands = readmeCommands();
    expect(commands.length).toBeGreaterThan(20);
    for (const command of commands) {
      const steps = STEPS.filter(([pattern]) => pattern.test(command));
      expect(steps, `a step of test/e2e/driver/readme-story.ts runs: ${command}`).toHaveLength(1);
      const [[, step]] = steps as [(typeof STEPS)[number]];
      if (typeof step === 'object') expect(read(step.runBy).length).toBeGreaterThan(0);
    }
  });

  it('has links and files that exist', () => {
    const paths = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!);
    expect(paths.filter((path) => !existsSync(new URL(path, ROOT)))).toEqual([]);
  });
});

describe('the examples', () => {
  it.each(readdirSync(new URL('examples', ROOT)).filter((name) => name.endsWith('.yaml')))('%s is right', (name) => {
    expect(problemsOf(read(`examples/${name}`))).toEqual([]);
  });
});

function problemsOf(file: string): readonly Problem[] {
  const parsed = parseRolloutSpec(file);
  return parsed.ok ? parsed.warnings : parsed.problems;
}
