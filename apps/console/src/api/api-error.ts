import type { FieldProblem } from '../domain/records.js';

/** A refusal of the API, or that it could not be reached (status 0). `message` is for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly problems: readonly FieldProblem[] = [],
  ) {
    super(message);
  }
}

export function refusalOf(status: number, body: unknown): ApiError {
  const { code, detail, errors } = (body ?? {}) as { code?: unknown; detail?: unknown; errors?: unknown };
  const problems = Array.isArray(errors) ? (errors as FieldProblem[]) : [];
  const text = typeof detail === 'string' ? detail : `the controller answered ${status}`;
  return new ApiError(status, typeof code === 'string' ? code : `http-${status}`, text, problems);
}

export function unreachable(error: unknown): ApiError {
  const why =
    error instanceof DOMException && error.name === 'TimeoutError' ? 'it does not answer' : 'it cannot be reached';
  return new ApiError(0, 'unreachable', why);
}
