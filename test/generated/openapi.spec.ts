import { Ajv2020 } from 'ajv/dist/2020.js';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { controllerDocument } from './controller-document.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const NOTE = 'Made from the code by `npm run generate`.';

interface Content {
  readonly schema: unknown;
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>;
  readonly example?: unknown;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
  };
}

let document: Document;
let operations: [string, Operation][];
beforeAll(async () => {
  document = (await controllerDocument()) as Document;
  operations = Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/api/'))
    .flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
    );
});

test('docs/openapi.yaml is what the controller serves', async () => {
  const text = `# ${NOTE}\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  await expect(text).toMatchFileSnapshot(`${ROOT}docs/openapi.yaml`);
});

test('the types of the API are those of its document', async () => {
  const types = astToString(await openapiTS(document as unknown as OpenAPI3));
  await expect(`/** ${NOTE} */\n${types}`).toMatchFileSnapshot(`${ROOT}libs/shared/src/api/controller-api.ts`);
});

describe('every operation of the API', () => {
  test('has an id of its own, a summary, and says which role it needs', () => {
    expect(operations.length).toBeGreaterThan(12);
    const ids = operations.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, { operationId, summary, description, security }] of operations) {
      expect(operationId, name).toMatch(/^[a-z][A-Za-z]+$/);
      expect(summary, name).toMatch(/^\S.+\S$/);
      expect(description, name).toMatch(/Needs the role (read|operate|admin)\.$/);
      expect(security, name).toEqual([{ bearer: [] }]);
    }
  });

  test('tells every refusal as problem+json with an example of that status', () => {
    for (const [name, { responses }] of operations) {
      expect(Object.keys(responses), name).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
      for (const [status, { content = {} }] of Object.entries(responses).filter(([status]) => status >= '400')) {
        const place = `${name} ${status}`;
        expect(Object.keys(content), place).toEqual(['application/problem+json']);
        const { examples = {}, schema } = content['application/problem+json']!;
        expect(schema, place).toEqual({ $ref: '#/components/schemas/Problem' });
        expect(Object.keys(examples).length, place).toBeGreaterThan(0);
        for (const { $ref } of Object.values(examples))
          expect(exampleAt($ref), place).toMatchObject({ status: Number(status) });
      }
    }
  });

  test('shows an example of what it takes and of what it answers', () => {
    for (const [name, { responses, requestBody }] of operations) {
      const answers = Object.entries(responses).filter(([status]) => status < '400');
      expect(answers.length, name).toBeGreaterThan(0);
      const contents = [...answers.map(([, answer]) => answer), ...(requestBody ? [requestBody] : [])];
      for (const { content = {} } of contents)
        for (const { example, examples, schema } of Object.values(content))
          expect(example !== undefined || examples !== undefined || hasExamples(schema), `${name} has an example`).toBe(
            true,
          );
    }
  });
});

test('every example is what its schema says', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'document', components: document.components });
  for (const [name, { value }] of Object.entries(document.components.examples)) {
    const schema = name in document.components.schemas ? name : 'Problem';
    const validate = ajv.compile({ $ref: `document#/components/schemas/${schema}` });
    expect(validate(value) ? [] : validate.errors, name).toEqual([]);
  }
});

const nameAt = ($ref: string): string => $ref.split('/').at(-1)!;
const exampleAt = ($ref: string): unknown => document.components.examples[nameAt($ref)]?.value;

/** Of a body that is described field by field. */
function hasExamples(schema: unknown): boolean {
  const { $ref } = schema as { $ref?: string };
  if ($ref === undefined) return false;
  const { properties = {} } = document.components.schemas[nameAt($ref)] as { properties?: Record<string, object> };
  return Object.values(properties).every((property) => 'example' in property);
}
