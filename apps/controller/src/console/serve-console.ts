import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem } from '../api/problem.js';

/** Where the build puts it, seen from the compiled controller: dist/apps/controller/src/console. */
const BUILT = fileURLToPath(new URL('../../../console', import.meta.url));

/** Addresses of the console's pages; one document serves them all. */
const PAGES = ['/', '/new', '/models/:model', '/models/:model/rollouts/:rollout'];

/** Nothing from elsewhere, no script or style in the document, no frame around it. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** The built console, or null where it was not built (or this runs from the sources, beside those of the console). */
export function builtConsole(folder = BUILT): string | null {
  return existsSync(join(folder, 'assets')) ? folder : null;
}

/** Serves the console at `/`. Its files carry a hash in their names, so they never change; the document is asked for anew. */
export async function serveConsole(app: NestFastifyApplication, folder: string | null): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  if (folder === null) {
    const text = 'the console is not built here: npm run build; the API is at /api/v1, described at /docs';
    fastify.get('/', (_request: FastifyRequest, reply: FastifyReply) =>
      reply
        .status(404)
        .type('application/problem+json')
        .send(JSON.stringify(problem(404, 'no-console', text))),
    );
    return;
  }
  await fastify.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    index: false,
    decorateReply: true,
    preCompressed: true,
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply) => {
      for (const [name, value] of Object.entries(HEADERS)) reply.header(name, value);
    },
  });
  for (const page of PAGES)
    fastify.get(page, (_request: FastifyRequest, reply: FastifyReply) => {
      return reply
        .headers({ ...HEADERS, 'cache-control': 'no-cache' })
        .sendFile('index.html', folder, { maxAge: 0, immutable: false, cacheControl: false });
    });
}
