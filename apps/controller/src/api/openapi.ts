import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { publishedSchemas } from '@app/shared';
import { problemExamples } from './documented.js';
import { API_SCHEMAS } from './schemas.js';

/** GET /openapi.json, and a page for people at /docs. */
export function serveOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Model Canary controller')
    .setDescription('Rollouts of model versions. Errors are application/problem+json (RFC 9457) with a stable code.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth()
    .build();
  SwaggerModule.setup('docs', app, () => withSchemas(SwaggerModule.createDocument(app, config)), {
    jsonDocumentUrl: 'openapi.json',
  });
}

function withSchemas(document: OpenAPIObject): OpenAPIObject {
  const schemas = publishedSchemas(API_SCHEMAS, '#/components/schemas/');
  return {
    ...document,
    components: {
      ...document.components,
      schemas: { ...document.components?.schemas, ...schemas },
      examples: problemExamples(),
    },
  };
}
