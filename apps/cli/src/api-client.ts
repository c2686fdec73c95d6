import { readFileSync } from 'node:fs';
import type { Api, ApiPaths } from '@app/shared';
import createClient, { type Client } from 'openapi-fetch';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';

export const DEFAULT_SERVER = 'http://127.0.0.1:8080';
const REQUEST_TIMEOUT_MS = 30_000;
const ACTOR = /^[A-Za-z0-9 .@+_:/-]{1,200}$/;

/** One request of a typed client, e.g. `(http) => http.GET('/api/v1/models')`. */
export type ApiCall<T> = (http: Client<ApiPaths>) => Promise<{
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}>;

/** The controller's HTTP API, by the types of its document. Every failure is a CliError that says what happened and what to do. */
export class ApiClient {
  /** Without a slash at its end. */
  readonly base: string;
  private readonly headers: Readonly<Record<string, string>>;

  constructor(
    private readonly terminal: Terminal,
    server: string | undefined,
  ) {
    const text = server ?? (terminal.env['CANARY_SERVER'] || DEFAULT_SERVER);
    if (!/^https?:\/\//.test(text) || !URL.canParse(text))
      throw new CliError(
        'bad-server',
        `the controller's address ${JSON.stringify(text)} is not a URL: write for instance ${DEFAULT_SERVER}`,
        { exit: EXIT.usage },
      );
    this.base = text.replace(/\/+$/, '');
    this.headers = headersOf(terminal);
  }

  get origin(): string {
    return new URL(this.base).origin;
  }

  async call<T>(request: ApiCall<T>): Promise<T> {
    const signal = AbortSignal.any([this.terminal.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    let answer: Awaited<ReturnType<ApiCall<T>>>;
    try {
      answer = await request(this.http(signal));
    } catch (error) {
      if (error instanceof SyntaxError) throw this.notTheApi();
      throw this.unreachable(error);
    }
    const { data, error, response } = answer;
    if (!response.ok) throw refusal(response.status, error);
    if (data === undefined) throw this.notTheApi();
    return data;
  }

  private http(signal: AbortSignal): Client<ApiPaths> {
    const { terminal, headers, base: baseUrl } = this;
    return createClient<ApiPaths>({ baseUrl, headers, signal, fetch: (request) => terminal.fetch(request) });
  }

  private notTheApi(): CliError {
    return new CliError(
      'not-the-api',
      `${this.origin} answered something that is not JSON: is it the controller? Set --server or CANARY_SERVER`,
    );
  }

  private unreachable(error: unknown): CliError {
    if (this.terminal.signal.aborted) return new CliError('interrupted', 'interrupted', { exit: 130 });
    const { cause, name } = error as Error & { cause?: { code?: string } };
    const why =
      name === 'TimeoutError' ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s` : (cause?.code ?? String(error));
    return new CliError(
      'unreachable',
      `the controller at ${this.origin} cannot be reached (${why}): is it running? Its address is --server or CANARY_SERVER`,
    );
  }
}

function headersOf(terminal: Terminal): Record<string, string> {
  const { env } = terminal;
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  const actor = env['CANARY_ACTOR'] || env['USER'] || env['LOGNAME'];
  // Decisions name who asked for them; a name that the API would refuse is not worth a refusal.
  if (actor && ACTOR.test(actor)) headers['x-actor'] = actor;
  const token = tokenOf(terminal);
  if (token) headers['authorization'] = `Bearer ${token}`;
  return headers;
}

function tokenOf({ env }: Terminal): string | undefined {
  const path = env['CANARY_TOKEN_FILE'];
  if (!path) return env['CANARY_TOKEN'] || undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CliError('bad-token-file', `CANARY_TOKEN_FILE: the file cannot be read (${code})`);
  }
}

function refusal(status: number, answer: unknown): CliError {
  const { title, detail, code, errors } = (typeof answer === 'object' && answer ? answer : {}) as Partial<
    Api['Problem']
  >;
  if (status === 401)
    return new CliError(
      'not-allowed',
      `the controller wants a valid token: set CANARY_TOKEN or CANARY_TOKEN_FILE${detail ? ` (it says: ${detail})` : ''}`,
    );
  const problems = Array.isArray(errors) ? errors : [];
  const text = detail ?? title ?? `the controller answered with status ${status}`;
  return new CliError(code ?? `http-${status}`, text, { problems });
}
