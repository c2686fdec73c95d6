import type { INestApplication } from '@nestjs/common';
import { publishedSchemas } from '@app/shared';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { documentedExamples } from './documented.js';
import { API_SCHEMAS } from './schemas.js';

const TAGS = {
  rollouts: 'Start a rollout, or register a model.',
  models: 'What is known of models: state, verdict, history, windows.',
  commands: 'Steer a rollout. Refused ones say why and what to do.',
  labels: 'The truth about predictions, for people without a Kafka producer.',
  events: 'What happens, as it happens.',
  access: 'Who asks.',
  service: 'Probes and metrics; open to everybody.',
} as const;

const SERVICE = ['service'];
const READINESS = {
  type: 'object',
  required: ['ready', 'reasons'],
  properties: { ready: { type: 'boolean' }, reasons: { type: 'array', items: { type: 'string' } } },
};
const json = (schema: object, example: object) => ({ 'application/json': { schema, example } });

/** Those of all services, which know nothing of this document. */
const SERVICE_PATHS = {
  '/health/live': {
    get: {
      operationId: 'isLive',
      summary: 'Whether the process answers. Not off because Kafka or Redis is away.',
      tags: SERVICE,
      responses: {
        200: {
          description: 'It does.',
          content: json({ type: 'object', properties: { live: { const: true } } }, { live: true }),
        },
      },
    },
  },
  '/health/ready': {
    get: {
      operationId: 'isReady',
      summary: 'Whether to send requests here.',
      tags: SERVICE,
      responses: {
        200: { description: 'Yes.', content: json(READINESS, { ready: true, reasons: [] }) },
        503: { description: 'No, and why.', content: json(READINESS, { ready: false, reasons: ['closing'] }) },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus.',
      tags: SERVICE,
      responses: {
        200: { description: 'Its text format.', content: { 'text/plain': { schema: { type: 'string' } } } },
      },
    },
  },
} as const;

/** GET /openapi.json, and a page for people at /docs. */
export function serveOpenApi(app: INestApplication): void {
  const builder = new DocumentBuilder()
    .setTitle('Model Canary controller')
    .setDescription('Rollouts of model versions. Errors are application/problem+json (RFC 9457) with a stable code.')
    .setVersion('1')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .setOpenAPIVersion('3.1.0')
    .addServer('/')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'A token of the controller, or of its identity provider.',
    });
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const config = builder.build();
  SwaggerModule.setup('docs', app, () => completed(SwaggerModule.createDocument(app, config)), {
    jsonDocumentUrl: 'openapi.json',
  });
}

/** With what decorators cannot say: the contracts' schemas, examples, and the paths of all services. */
function completed(document: OpenAPIObject): OpenAPIObject {
  // Bodies of commands: the pipe that checks them takes no other fields.
  const bodies = Object.entries(document.components?.schemas ?? {}).map(
    ([name, schema]) => [name, { ...schema, additionalProperties: false }] as const,
  );
  const schemas = { ...Object.fromEntries(bodies), ...publishedSchemas(API_SCHEMAS, '#/components/schemas/') };
  return {
    ...document,
    paths: { ...document.paths, ...SERVICE_PATHS },
    components: {
      ...document.components,
      schemas,
      examples: documentedExamples(),
    },
  };
}
