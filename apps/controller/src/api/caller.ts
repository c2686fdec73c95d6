import type { ControllerSettings } from '../config.js';
import { refuse } from './problem.js';

/** Headers of a request that changes something. */
export interface Caller {
  readonly 'x-actor'?: string;
  readonly 'idempotency-key'?: string;
}

/** The same as the OpenAPI document has them. */
export const IDEMPOTENCY_HEADER = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key twice acts once.',
  schema: { type: 'string', pattern: '^[!-~]{1,200}$' },
} as const;
export const ACTOR_HEADER = {
  name: 'X-Actor',
  required: false,
  description: 'Who asks; stands in the decision.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
} as const;

const ACTOR = /^[\p{L}\p{N} .@+_:/-]{1,200}$/u;
const KEY = /^[\x21-\x7e]{1,200}$/;

/** Who asks: the name a request gives, else the token's owner's. */
export function actorOf(header: string | undefined, settings: ControllerSettings): string {
  if (header === undefined)
    return settings.CONTROLLER_TOKEN === undefined ? 'anonymous' : settings.CONTROLLER_TOKEN_NAME;
  if (ACTOR.test(header)) return header;
  return refuseHeader('X-Actor', 'must be a name of at most 200 letters, digits, spaces and . @ + _ : / -');
}

/** The command's id, chosen by who asks: the same one twice acts once. */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined || KEY.test(header)) return header;
  return refuseHeader('Idempotency-Key', 'must be 1 to 200 visible ASCII characters');
}

function refuseHeader(field: string, what: string): never {
  return refuse(400, 'bad-header', `${field} ${what}`, [{ field, code: 'bad-header', message: `${field} ${what}` }]);
}
