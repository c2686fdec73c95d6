import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { controllerDocument } from './controller-document.js';

const ROOT = new URL('../../', import.meta.url).pathname;
const NOTE = 'Made from the code by `npm run generate`.';

let document: object;
beforeAll(async () => {
  document = await controllerDocument();
});

test('docs/openapi.yaml is what the controller serves', async () => {
  const text = `# ${NOTE}\n${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  await expect(text).toMatchFileSnapshot(`${ROOT}docs/openapi.yaml`);
});

test('the types of the API are those of its document', async () => {
  const types = astToString(await openapiTS(document as OpenAPI3));
  await expect(`/** ${NOTE} */\n${types}`).toMatchFileSnapshot(`${ROOT}libs/shared/src/api/controller-api.ts`);
});
