import { readdirSync, readFileSync } from 'node:fs';
import type { Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { expect, expectTypeOf, test } from 'vitest';
import { parseRolloutSpec } from './parse-rollout-spec.js';
import type { RolloutSpec } from './rollout-spec.js';
import { RolloutSpecSchema } from './rollout-spec-schema.js';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;

test('the schema of a spec says the same as its type', () => {
  expectTypeOf<Static<typeof RolloutSpecSchema>>().toExtend<RolloutSpec>();
  expectTypeOf<Mutable<RolloutSpec>>().toExtend<Static<typeof RolloutSpecSchema>>();
});

test('every example, read, is what the schema says', () => {
  const examples = new URL('../../../../examples/', import.meta.url);
  const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(2);
  for (const file of files) {
    const parsed = parseRolloutSpec(readFileSync(new URL(file, examples), 'utf8'));
    const spec: unknown = parsed.ok ? JSON.parse(JSON.stringify(parsed.value)) : parsed.problems;
    expect([...Value.Errors(RolloutSpecSchema, spec)], file).toEqual([]);
  }
});
