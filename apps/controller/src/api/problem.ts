import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { CanaryError, type Logger, type Problem } from '@app/shared';
import type { FastifyReply } from 'fastify';
import type { ProblemDetails } from './schemas.js';

export function problem(status: number, code: string, detail: string, errors: readonly Problem[] = []): ProblemDetails {
  return { type: `urn:model-canary:problem:${code}`, title: titleOf(code), status, detail, code, errors };
}

/** Thrown by the API's handlers; the filter below makes it the answer. */
export class ProblemException extends Error {
  constructor(
    readonly problem: ProblemDetails,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(problem.detail);
  }
}

export function refuse(status: number, code: string, detail: string, errors: readonly Problem[] = []): never {
  throw new ProblemException(problem(status, code, detail, errors));
}

/** 422 with each field's problem. */
export function unprocessable(errors: readonly Problem[]): ProblemDetails {
  return problem(422, 'invalid-input', errors.map((e) => e.message).join('; '), errors);
}

/** Every error of the API leaves as application/problem+json, and none with its insides. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const details = this.detailsOf(error);
    const headers = error instanceof ProblemException ? error.headers : {};
    void reply.status(details.status).headers(headers).type('application/problem+json').send(JSON.stringify(details));
  }

  private detailsOf(error: unknown): ProblemDetails {
    if (error instanceof ProblemException) return error.problem;
    if (error instanceof HttpException) return problem(error.getStatus(), codeOf(error.getStatus()), error.message);
    const { statusCode, message } = error as { statusCode?: number; message?: string };
    // Fastify's own: a body that does not parse, is too large, or of a type nobody reads.
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      return problem(statusCode, codeOf(statusCode), message ?? 'the request cannot be read');
    }
    this.logger.error({ err: error }, 'a request failed');
    if (error instanceof CanaryError) return problem(503, error.code, error.message);
    return problem(500, 'internal-error', 'something broke here; the log of the controller says what');
  }
}

function codeOf(status: number): string {
  switch (status) {
    case 400:
      return 'unreadable-request';
    case 404:
      return 'not-found';
    case 413:
      return 'body-too-large';
    case 415:
      return 'unsupported-media-type';
    default:
      return `http-${status}`;
  }
}

const titleOf = (code: string): string => code.charAt(0).toUpperCase() + code.slice(1).replaceAll('-', ' ');
