import type { FastifyInstance } from 'fastify';
import { problem, ProblemException } from './problem.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'] as const;

/** Takes note of every route from now on; `close` answers the other methods of their paths with 405 and Allow. */
export function allowListedMethods(fastify: FastifyInstance): { close(): void } {
  const methodsOf = new Map<string, Set<string>>();
  let closing = false;
  fastify.addHook('onRoute', ({ url, method }) => {
    if (closing) return;
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods);
    for (const one of [method].flat()) methods.add(one);
  });
  return {
    close: () => {
      closing = true;
      const supported = METHODS.filter((method) => fastify.supportedMethods.includes(method));
      for (const [url, listed] of methodsOf) {
        if (url.includes('*')) continue; // whoever takes every path answers for every method
        const allow = [...listed].sort().join(', ');
        const text = `this path takes ${allow}; the API is described at /openapi.json`;
        fastify.route({
          url,
          method: supported.filter((method) => !listed.has(method)),
          // Before the body is read: it does not matter what it is.
          onRequest: async () => {
            throw new ProblemException(problem(405, 'method-not-allowed', text), { allow });
          },
          handler: () => undefined,
        });
      }
    },
  };
}
