import { readFileSync } from 'node:fs';
import type { Problem } from '@app/shared';
import { CliError } from './cli-error.js';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';

export const DEFAULT_SERVER = 'http://127.0.0.1:8080';
const REQUEST_TIMEOUT_MS = 30_000;
const ACTOR = /^[A-Za-z0-9 .@+_:/-]{1,200}$/;

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly body?: unknown;
  /** A body that is sent as it is, such as a rollout file. */
  readonly yaml?: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** The controller's HTTP API. Every failure is a CliError that says what happened and what to do. */
export class ApiClient {
  private readonly base: URL;
  private readonly token: string | undefined;

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
    this.base = new URL(text.endsWith('/') ? text : `${text}/`);
    this.token = tokenOf(terminal);
  }

  /** Path without the leading /api/v1/. The type is the API's promise: it is not checked again here. */
  async send<T>(path: string, request: ApiRequest = {}): Promise<T> {
    const { env } = this.terminal;
    const url = new URL(`api/v1/${path}`, this.base);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    const body = request.yaml ?? (request.body === undefined ? undefined : JSON.stringify(request.body));
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
    if (body !== undefined) headers['content-type'] = request.yaml === undefined ? 'application/json' : 'text/yaml';
    const actor = env['CANARY_ACTOR'] || env['USER'] || env['LOGNAME'];
    // Decisions name who asked for them; a name that the API would refuse is not worth a refusal.
    if (actor && ACTOR.test(actor)) headers['x-actor'] = actor;
    if (this.token) headers['authorization'] = `Bearer ${this.token}`;
    const signal = AbortSignal.any([this.terminal.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    let status: number;
    let text: string;
    try {
      const response = await this.terminal.fetch(url, { method: request.method ?? 'GET', headers, body, signal });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw this.unreachable(error);
    }
    const answer = parseJson(text);
    if (status >= 400) throw refusal(status, answer);
    if (answer === undefined)
      throw new CliError(
        'not-the-api',
        `${this.base.origin} answered something that is not JSON: is it the controller? Set --server or CANARY_SERVER`,
      );
    return answer as T;
  }

  private unreachable(error: unknown): CliError {
    if (this.terminal.signal.aborted) return new CliError('interrupted', 'interrupted', { exit: 130 });
    const { cause, name } = error as Error & { cause?: { code?: string } };
    const why =
      name === 'TimeoutError' ? `no answer within ${REQUEST_TIMEOUT_MS / 1000} s` : (cause?.code ?? String(error));
    return new CliError(
      'unreachable',
      `the controller at ${this.base.origin} cannot be reached (${why}): is it running? Its address is --server or CANARY_SERVER`,
    );
  }
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

/** RFC 9457. */
interface ProblemDetails {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly errors?: readonly Problem[];
}

function refusal(status: number, answer: unknown): CliError {
  if (status === 401 || status === 403)
    return new CliError('not-allowed', 'the controller wants a valid token: set CANARY_TOKEN or CANARY_TOKEN_FILE');
  const { title, detail, code, errors } = (typeof answer === 'object' && answer ? answer : {}) as ProblemDetails;
  const problems = Array.isArray(errors) ? errors : [];
  const text = detail ?? title ?? `the controller answered with status ${status}`;
  return new CliError(code ?? `http-${status}`, text, { problems });
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch {
    return undefined; // what it means depends on the status, which the caller knows
  }
}
