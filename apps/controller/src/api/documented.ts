import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { problem } from './problem.js';
import { type KnownProblem, PROBLEM_CODES } from './problem-codes.js';
import type { ProblemDetails, SchemaName } from './schemas.js';

export const schemaRef = (name: SchemaName): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });

interface Answer {
  readonly schema: SchemaName;
  readonly description: string;
}

interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly problems: readonly KnownProblem[];
}

/** What the document says of an operation: its answers, and every refusal with an example. */
export function Documented({ id, summary, description, answers, problems }: Operation): MethodDecorator {
  return all([
    ApiOperation({ operationId: id, summary, ...(description === undefined ? {} : { description }) }),
    ...Object.entries(answers).map(([status, answer]) =>
      ApiResponse({
        status: Number(status),
        description: answer.description,
        content: { 'application/json': { schema: schemaRef(answer.schema) } },
      }),
    ),
    Refusals(problems),
  ]);
}

/** One response a status, one example a code. */
export function Refusals(codes: readonly KnownProblem[]): MethodDecorator {
  const byStatus = Map.groupBy(codes, (code) => PROBLEM_CODES[code].status);
  const responses = [...byStatus].map(([status, ofStatus]) =>
    ApiResponse({
      status,
      description: ofStatus.join(', '),
      content: {
        'application/problem+json': {
          schema: schemaRef('Problem'),
          examples: Object.fromEntries(ofStatus.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
        },
      },
    }),
  );
  return all(responses);
}

/** components.examples of the document. */
export function problemExamples(): Record<string, { value: ProblemDetails }> {
  const codes = Object.keys(PROBLEM_CODES) as KnownProblem[];
  return Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }]));
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
