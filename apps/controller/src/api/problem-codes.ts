/** Refusals of the API that clients meet, with an example of what each says: what the OpenAPI document shows. */
interface ProblemCode {
  readonly status: number;
  readonly detail: string;
  /** Of those that name fields. */
  readonly field?: string;
}

export const PROBLEM_CODES = {
  'unreadable-request': { status: 400, detail: "Expected property name or '}' in JSON at position 1" },
  'bad-header': {
    status: 400,
    detail: 'X-Actor must be a name of at most 200 ASCII letters, digits, spaces and . @ + _ : / -',
    field: 'X-Actor',
  },
  'token-required': { status: 401, detail: 'this API needs the header Authorization: Bearer <token>' },
  'role-too-low': { status: 403, detail: 'this needs the role operate; dashboard has read' },
  'cross-site': { status: 403, detail: 'a page of https://example.com may not change anything here' },
  'unknown-model': { status: 404, detail: 'there is no model digits; apply a rollout file first' },
  'unknown-rollout': {
    status: 404,
    detail: 'nothing is known here of digits-3; the decisions of long ago are in the topic rollout-decision',
  },
  'no-open-rollout': {
    status: 409,
    detail: 'digits has no open rollout; the last one, digits-3, is rolled-back; apply one first',
  },
  'nothing-to-retry': {
    status: 409,
    detail:
      'the last rollout of digits, digits-3, is promoted; only one that was rolled back or aborted can be tried again',
  },
  'stable-differs': {
    status: 409,
    detail: 'stable of digits is v2, the spec says v1; write stable.version: v2, or set the traffic back first (undo)',
  },
  'body-too-large': { status: 413, detail: 'Request body is too large' },
  'unsupported-media-type': { status: 415, detail: 'Unsupported Media Type: application/octet-stream' },
  'invalid-input': {
    status: 422,
    detail: 'steps.0.traffic_split: the weights sum to 0.9; they must sum to 1, e.g. { v1: 0.9, v2: 0.1 }',
    field: 'steps.0.traffic_split',
  },
  'rollout-open': {
    status: 422,
    detail: 'digits has an open rollout, digits-4 (progressing), with another spec; abort or promote it first',
  },
  'too-many': { status: 422, detail: '1200 labels at once; send at most 1000 in a request' },
  'headers-too-large': { status: 431, detail: 'the address and the headers of a request may have 16 kB together' },
  'too-many-requests': { status: 429, detail: 'more than 3000 requests in a minute; come again in 12 seconds' },
  'identity-provider-away': {
    status: 503,
    detail: 'the identity provider cannot be asked; try again, or use a token',
  },
  'kafka-away': { status: 503, detail: 'Kafka takes no records now; nothing was done, try again' },
  'no-windows': { status: 503, detail: 'this controller has no window store; set REDIS_URL' },
  'verdicts-away': { status: 503, detail: 'the store of verdicts does not answer: Connection is closed.' },
  'no-answer': {
    status: 504,
    detail:
      'the command was sent, and no controller has answered within 10000 ms; it may still be carried out: ask again with Idempotency-Key: 7b0f5f0e-6d0c-4f5c-9d55-0a7a0e0c9f10',
  },
} as const satisfies Record<string, ProblemCode>;

export type KnownProblem = keyof typeof PROBLEM_CODES;

/** A refusal by the state machine is a conflict with how the model stands, unless it is listed above. */
export function statusOf(code: string): number {
  return Object.hasOwn(PROBLEM_CODES, code) ? PROBLEM_CODES[code as KnownProblem].status : 409;
}
