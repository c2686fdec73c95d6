import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Needs } from './auth/access-guard.js';
import type { Role } from './auth/roles.js';
import { EXAMPLES } from './examples.js';
import { problem } from './problem.js';
import { type KnownProblem, PROBLEM_CODES } from './problem-codes.js';
import type { ProblemDetails, SchemaName } from './schemas.js';

export const schemaRef = (name: SchemaName): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });
export const exampleRef = (name: string): { $ref: string } => ({ $ref: `#/components/examples/${name}` });

type Content = Parameters<typeof ApiResponse>[0]['content'];

type Answer = { readonly description: string } & (
  { readonly schema: keyof typeof EXAMPLES } | { readonly content: Content }
);

interface Operation {
  readonly id: string;
  readonly role: Role;
  readonly summary: string;
  readonly description?: string;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Besides those of all operations. */
  readonly problems?: readonly KnownProblem[];
}

const OF_ALL: readonly KnownProblem[] = [
  'token-required',
  'role-too-low',
  'cross-site',
  'too-many-requests',
  'headers-too-large',
  'identity-provider-away',
];

/** An operation: the role it needs, and what the document says of it: answers, and every refusal with an example. */
export function Documented({ id, role, summary, description, answers, problems = [] }: Operation): MethodDecorator {
  const needs = `Needs the role ${role}.`;
  return all([
    Needs(role),
    ApiBearerAuth(),
    ApiOperation({
      operationId: id,
      summary,
      description: description === undefined ? needs : `${description} ${needs}`,
    }),
    ...Object.entries(answers).map(([status, answer]) =>
      ApiResponse({ status: Number(status), description: answer.description, content: contentOf(answer) }),
    ),
    ...refusals([...problems, ...OF_ALL]),
  ]);
}

/** The same of a stream of server-sent events that can be resumed. */
export function DocumentedStream({ example, ...operation }: Omit<Operation, 'answers'> & { readonly example: string }) {
  const content = { 'text/event-stream': { schema: { type: 'string' }, example } } as const;
  return all([
    Documented({ ...operation, answers: { 200: { description: 'A stream without an end.', content } } }),
    ApiHeader({
      name: 'Last-Event-ID',
      required: false,
      description: 'Goes on after that event, on any controller and after a restart, or begins with an event reset.',
    }),
  ]);
}

function contentOf(answer: Answer): Content {
  if ('content' in answer) return answer.content;
  const { schema } = answer;
  return { 'application/json': { schema: schemaRef(schema), examples: { [schema]: exampleRef(schema) } } };
}

/** One response a status, one example a code. */
function refusals(codes: readonly KnownProblem[]): MethodDecorator[] {
  const byStatus = Map.groupBy(codes, (code) => PROBLEM_CODES[code].status);
  return [...byStatus].map(([status, ofStatus]) =>
    ApiResponse({
      status,
      description: ofStatus.join(', '),
      ...(status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}),
      content: {
        'application/problem+json': {
          schema: schemaRef('Problem'),
          examples: Object.fromEntries(ofStatus.map((code) => [code, exampleRef(code)])),
        },
      },
    }),
  );
}

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds to wait, where that is known.', schema: { type: 'integer' } },
} as const;

/** components.examples of the document. */
export function documentedExamples(): Record<string, { value: unknown }> {
  const codes = Object.keys(PROBLEM_CODES) as KnownProblem[];
  const all = [...Object.entries(EXAMPLES), ...codes.map((code) => [code, exampleOf(code)] as const)];
  return Object.fromEntries(all.map(([name, value]) => [name, { value }]));
}

function exampleOf(code: KnownProblem): ProblemDetails {
  const { status, detail, ...rest } = PROBLEM_CODES[code];
  const errors = 'field' in rest ? [{ field: rest.field, code: 'wrong-value', message: detail }] : [];
  return problem(status, code, detail, errors);
}

export function all(decorators: readonly MethodDecorator[]): MethodDecorator {
  return (target, key, descriptor) => {
    for (const decorate of decorators) decorate(target, key, descriptor);
  };
}
