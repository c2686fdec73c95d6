import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { TOPIC_TABLE, TOPICS, VERSION } from '@app/shared';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { asyncApiDocument } from './asyncapi.js';

const ROOT = new URL('../../', import.meta.url).pathname;

/** The records that the README shows, which its own test reads with the contracts' codecs. */
const MESSAGES_OF: Readonly<Record<string, readonly string[]>> = {
  'prediction-outcome': ['Outcome', 'BucketRecord'],
  'prediction-label': ['Label', 'Pair'],
  'rollout-verdict': ['Verdict'],
  'rollout-command': ['Command'],
  'rollout-decision': ['Decision'],
  'rollout-state': ['RolloutState'],
  'dead-letter': ['DeadLetter'],
};

function examplesOfReadme(): Record<string, unknown[]> {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8');
  const examples: Record<string, unknown[]> = {};
  const seen = new Map<string, number>();
  for (const [, topic, json] of readme.matchAll(
    /<!-- record: (\S+) -->\n<!-- prettier-ignore -->\n```json\n([^`]+)```/g,
  )) {
    const index = seen.get(topic!) ?? 0;
    seen.set(topic!, index + 1);
    const name = MESSAGES_OF[topic!]?.[index];
    if (name) examples[name] = [JSON.parse(json!)];
  }
  return examples;
}

const document = asyncApiDocument(VERSION, examplesOfReadme());
const text = `# Made from the code by \`npm run generate\`.\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;

describe('docs/asyncapi.yaml', () => {
  test('is what the contracts say', async () => {
    await expect(text).toMatchFileSnapshot(`${ROOT}docs/asyncapi.yaml`);
  });

  test('is AsyncAPI 3 without a fault, by its own parser', async () => {
    const { document: parsed, diagnostics } = await new Parser().parse(text);
    const faults = diagnostics.filter(({ severity }) => Number(severity) <= 1);
    expect(faults.map(({ message, path }) => `${path.join('.')}: ${message}`)).toEqual([]);
    expect(parsed?.version()).toBe('3.0.0');
    expect(
      parsed!
        .channels()
        .all()
        .map((channel) => channel.address())
        .sort(),
    ).toEqual(TOPICS.map((role) => TOPIC_TABLE[role].defaultName).sort());
    expect(parsed!.operations().all().length).toBeGreaterThan(10);
  });

  test('shows records that are what it says', () => {
    const { components } = document as {
      components: { schemas: object; messages: Record<string, { title: string; examples?: { payload: unknown }[] }> };
    };
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema({ $id: 'document', components });
    const shown = Object.values(components.messages).filter(({ examples }) => examples);
    expect(shown.length).toBe(9);
    for (const { title, examples } of shown) {
      const validate = ajv.compile({ $ref: `document#/components/schemas/${title}` });
      for (const { payload } of examples!) expect(validate(payload) ? [] : validate.errors, title).toEqual([]);
    }
  });
});
