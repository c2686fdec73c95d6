import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { identityOf } from './auth/authentication.js';
import type { Identity } from './auth/roles.js';
import { refuse } from './problem.js';

/** Who wants something changed. */
export interface Asker {
  readonly actor: string;
  readonly onBehalfOf?: string;
  readonly idempotencyKey?: string;
}

/** A handler's parameter: who asks, by the token and the headers. */
export const Asks = createParamDecorator((_data: unknown, context: ExecutionContext): Asker => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { 'x-actor': actor, 'idempotency-key': key } = request.headers;
  return { ...actorOf(identityOf(request), only(actor)), idempotencyKey: idempotencyKeyOf(only(key)) };
});

/** Of a header that came twice, what Node makes of it. */
const only = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header;

/** The same as the OpenAPI document has them. */
export const IDEMPOTENCY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key twice acts once.',
  schema: { type: 'string', pattern: '^[!-~]{1,200}$', examples: ['night-job-7'] },
} as const;
export const ACTOR_HEADER = {
  name: 'X-Actor',
  required: false,
  description: 'On whose behalf; stands in the decision beside the name of the token.',
  schema: {
    type: 'string',
    pattern: '^[A-Za-z0-9.@+_:/-]([A-Za-z0-9 .@+_:/-]{0,198}[A-Za-z0-9.@+_:/-])?$',
    examples: ['ada'],
  },
} as const;

const NAME = new RegExp(ACTOR_HEADER.schema.pattern);
const KEY = new RegExp(IDEMPOTENCY_HEADER.schema.pattern);

/**
 * Whom a command comes from: whoever the token was given to. A name in X-Actor is only said, so it stands beside that, as
 * the one on whose behalf; where nobody is asked for a token, all names are only said.
 */
function actorOf(identity: Identity, header: string | undefined): Pick<Asker, 'actor' | 'onBehalfOf'> {
  if (header === undefined || header === identity.name) return { actor: identity.name };
  if (NAME.test(header))
    return identity.by === 'nobody' ? { actor: header } : { actor: identity.name, onBehalfOf: header };
  return refuseHeader('X-Actor', 'must be a name of at most 200 ASCII letters, digits, spaces and . @ + _ : / -');
}

/** The command's id, chosen by who asks: the same one twice acts once. */
function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined || KEY.test(header)) return header;
  return refuseHeader('Idempotency-Key', 'must be 1 to 200 visible ASCII characters');
}

function refuseHeader(field: string, what: string): never {
  return refuse(400, 'bad-header', `${field} ${what}`, [{ field, code: 'bad-header', message: `${field} ${what}` }]);
}
