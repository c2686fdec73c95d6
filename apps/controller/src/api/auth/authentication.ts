import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Authenticated, Authenticator } from './authenticator.js';
import type { Identity } from './roles.js';

const found = new WeakMap<FastifyRequest, Authenticated>();

/** Looks who asks, before anything else is done with a request: what follows may count by it. Refuses nobody itself. */
export function authenticateRequests(fastify: FastifyInstance, authenticator: Authenticator): void {
  fastify.addHook('onRequest', async (request) => {
    found.set(request, await authenticator.identify(request.headers.authorization));
  });
}

export function authenticationOf(request: FastifyRequest): Authenticated {
  return found.get(request) ?? { kind: 'refused', why: 'nobody has looked who asks' };
}

/** Of a request that the guard has let in. */
export function identityOf(request: FastifyRequest): Identity {
  const who = authenticationOf(request);
  if (who.kind !== 'known') throw new Error('a request was let in without an identity');
  return who.identity;
}
