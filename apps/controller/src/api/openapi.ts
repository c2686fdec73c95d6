import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { DecisionSchema, LabelSchema, RolloutStateSchema, VerdictSchema } from '@app/shared';

/** Records that the API shows as they stand in the topics: one schema for both. */
const RECORDS = {
  RolloutState: RolloutStateSchema,
  Decision: DecisionSchema,
  Verdict: VerdictSchema,
  Label: LabelSchema,
} as const;

/** GET /openapi.json, and a page for people at /docs. */
export function serveOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Model Canary controller')
    .setDescription('Rollouts of model versions. Errors are application/problem+json (RFC 9457) with a stable code.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => withRecords(SwaggerModule.createDocument(app, config)), {
    jsonDocumentUrl: 'openapi.json',
  });
}

function withRecords(document: OpenAPIObject): OpenAPIObject {
  const schemas = JSON.parse(JSON.stringify(RECORDS)) as NonNullable<OpenAPIObject['components']>['schemas'];
  return {
    ...document,
    components: { ...document.components, schemas: { ...document.components?.schemas, ...schemas } },
  };
}
