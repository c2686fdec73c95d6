import type { FastifyInstance, FastifyRequest } from 'fastify';
import { problem, ProblemException } from '../problem.js';

const CHANGES_NOTHING = ['GET', 'HEAD', 'OPTIONS'];
const LOOPBACK_NAME = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/**
 * Turns away what a page of another site makes a browser send. There are no cookies that such a page could borrow; but a
 * controller on loopback may ask for no token at all, and a browser on the same machine reaches it.
 */
export function refuseOtherSites(fastify: FastifyInstance, options: { readonly asksForTokens: boolean }): void {
  fastify.addHook('onRequest', async (request) => {
    const why = crossSiteReason(request, options.asksForTokens);
    if (why) throw new ProblemException(problem(403, 'cross-site', why));
  });
}

function crossSiteReason({ method, headers }: FastifyRequest, asksForTokens: boolean): string | null {
  // By a name that somebody else's DNS points here, their page would be of the same origin.
  if (!asksForTokens && !LOOPBACK_NAME.test(headers.host ?? ''))
    return 'without tokens this controller answers only to localhost: ask for http://127.0.0.1, or configure tokens';
  if (CHANGES_NOTHING.includes(method)) return null;
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`)
    return `a page of ${origin} may not change anything here`;
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'a page of another site may not change anything here';
  return null;
}
