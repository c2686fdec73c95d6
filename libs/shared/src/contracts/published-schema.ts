import type { TSchema } from '@sinclair/typebox';

/** A JSON Schema as published documents carry it. */
export type PublishedSchema = Readonly<Record<string, unknown>>;

/** OpenAPI 3.1 speaks 2020-12, AsyncAPI 3 draft 7; they part over tuples. */
export type SchemaDialect = '2020-12' | 'draft-7';

/**
 * Schemas of contracts as OpenAPI and AsyncAPI documents show them: each named schema once and referred to (`prefix` +
 * name) wherever it stands in another, literals as enums, maps as additionalProperties.
 */
export function publishedSchemas(
  schemas: Readonly<Record<string, TSchema>>,
  prefix: string,
  dialect: SchemaDialect = '2020-12',
): Record<string, PublishedSchema> {
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]));
  const publish = (schema: unknown, isTop = false): PublishedSchema => {
    const { documentedAs } = schema as TSchema;
    const name = documentedAs ?? (isTop ? undefined : names.get(JSON.stringify(schema)));
    if (name !== undefined) return { $ref: prefix + name };
    return published(JSON.parse(JSON.stringify(schema)) as Record<string, unknown>, (inner) => publish(inner), dialect);
  };
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, publish(schema, true)]));
}

type Publish = (schema: unknown) => PublishedSchema;

function published(
  schema: Readonly<Record<string, unknown>>,
  publish: Publish,
  dialect: SchemaDialect,
): PublishedSchema {
  const { anyOf, properties, patternProperties, items, additionalItems, remedy, ...rest } = schema;
  void remedy; // for refusals, not for schemas
  const result: Record<string, unknown> = { ...rest };
  if (Array.isArray(anyOf)) Object.assign(result, publishedUnion(anyOf, publish));
  if (properties) result['properties'] = mapValues(properties, publish);
  if (patternProperties) result['additionalProperties'] = publish(Object.values(patternProperties)[0]);
  if (Array.isArray(items)) {
    const tuple = items.map((item) => publish(item));
    Object.assign(
      result,
      dialect === 'draft-7' ? { items: tuple, additionalItems } : { prefixItems: tuple, items: false },
    );
  }
  if (items && !Array.isArray(items)) result['items'] = publish(items);
  return result;
}

function publishedUnion(branches: readonly Record<string, unknown>[], publish: Publish): PublishedSchema {
  const literals = branches.map((branch) => branch['const']);
  const types = new Set(branches.map((branch) => branch['type']));
  if (types.size === 1 && literals.every((literal) => literal !== undefined))
    return { type: branches[0]!['type'], enum: literals };
  if (branches.every((branch) => Object.keys(branch).join() === 'type'))
    return { type: branches.map((branch) => branch['type']) };
  return { anyOf: branches.map(publish) };
}

const mapValues = (object: object, publish: Publish): Record<string, PublishedSchema> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, publish(value)]));
