import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { problem, ProblemException } from '../problem.js';
import { authenticationOf } from './authentication.js';

/** At most so many callers are told apart; beyond that the oldest are forgotten. */
const CALLERS_MAX = 10_000;

/**
 * At most so many requests a minute of each token; of those who have none, by address, so that guessing is slow too.
 * Whoever asks too often is told with 429 when to come again. Per controller.
 */
export async function limitRequests(app: NestFastifyApplication, perMinute: number): Promise<void> {
  await app.register(rateLimit, {
    max: perMinute,
    timeWindow: 60_000,
    cache: CALLERS_MAX,
    keyGenerator: callerOf,
    enableDraftSpec: true,
    allowList: isUnlimited,
    errorResponseBuilder: (_request, { after, max }) =>
      new ProblemException(
        problem(429, 'too-many-requests', `more than ${max} requests in a minute; come again in ${after}`),
      ),
  });
}

/** Probes, scrapers and the page itself; and where nobody is asked who they are, nobody can be told apart. */
function isUnlimited(request: FastifyRequest): boolean {
  const who = authenticationOf(request);
  return !request.routeOptions.url?.startsWith('/api/') || (who.kind === 'known' && who.identity.by === 'nobody');
}

function callerOf(request: FastifyRequest): string {
  const who = authenticationOf(request);
  return who.kind === 'known' ? `${who.identity.by} ${who.identity.name}` : `address ${request.ip}`;
}
