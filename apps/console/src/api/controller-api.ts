import type { Api, ApiPaths } from '@app/api';
import createClient, { type Client } from 'openapi-fetch';
import type { ActionId } from '../domain/actions.js';
import type { ModelView, ModelWindow, RolloutLine, RolloutRecord, VerdictSeries, Weights } from '../domain/records.js';
import { ApiError, refusalOf, unreachable } from './api-error.js';
import type { Session } from './session.js';

const TIMEOUT_MS = 20_000;

export interface Order {
  readonly model: string;
  readonly action: ActionId;
  readonly reason: string;
  /** The same key twice acts once. */
  readonly key: string;
  /** Of `set-traffic`. */
  readonly weights?: Weights;
}

export interface ApplyOptions {
  readonly dryRun: boolean;
  readonly predictionsPerSecond: number | null;
  readonly reason?: string;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

type Answer<T> = Promise<{ readonly data?: T; readonly error?: unknown; readonly response: Response }>;

/** The controller's API as the pages need it. Every method rejects with ApiError. */
export class ControllerApi {
  private readonly http: Client<ApiPaths>;

  constructor(private readonly session: Session) {
    this.http = createClient<ApiPaths>({ baseUrl: location.origin });
  }

  console(): Promise<Api['Console']> {
    return this.call((init) => this.http.GET('/api/v1/console', init));
  }

  me(): Promise<Api['Me']> {
    return this.call((init) => this.http.GET('/api/v1/me', init));
  }

  fleet(): Promise<Api['Fleet']> {
    return this.call((init) => this.http.GET('/api/v1/fleet', init));
  }

  model(model: string): Promise<ModelView> {
    return this.call((init) => this.http.GET('/api/v1/models/{model}', { ...init, params: { path: { model } } }));
  }

  async rollouts(model: string): Promise<readonly RolloutLine[]> {
    const params = { path: { model } };
    const listed = await this.call((init) => this.http.GET('/api/v1/models/{model}/rollouts', { ...init, params }));
    return listed.rollouts;
  }

  rollout(model: string, rollout: string): Promise<RolloutRecord> {
    const params = { path: { model, rollout } };
    return this.call((init) => this.http.GET('/api/v1/models/{model}/rollouts/{rollout}', { ...init, params }));
  }

  verdicts(model: string, rollout: string): Promise<VerdictSeries> {
    const params = { path: { model, rollout }, query: { points: 600 } };
    return this.call((init) =>
      this.http.GET('/api/v1/models/{model}/rollouts/{rollout}/verdicts', { ...init, params }),
    );
  }

  async windows(
    model: string,
    query: { readonly resolution: '10s' | '1m'; readonly from: number; readonly to: number },
  ): Promise<readonly ModelWindow[]> {
    const params = { path: { model }, query };
    return (await this.call((init) => this.http.GET('/api/v1/models/{model}/windows', { ...init, params }))).windows;
  }

  /** `file` is YAML, or JSON, which is YAML too. */
  apply(file: string, { dryRun, predictionsPerSecond, reason, key, signal }: ApplyOptions): Promise<Api['Applied']> {
    const query = {
      ...(dryRun ? { dryRun } : {}),
      ...(predictionsPerSecond === null ? {} : { predictionsPerSecond }),
      ...(reason ? { reason } : {}),
    };
    return this.call((init) =>
      this.http.POST('/api/v1/rollouts', {
        ...init,
        params: { query },
        headers: { ...init.headers, ...this.acting(key), 'content-type': 'text/yaml' },
        body: file as never,
        bodySerializer: (text: unknown) => text as string,
        ...(signal ? { signal } : {}),
      }),
    );
  }

  async act({ model, action, reason, key, weights }: Order): Promise<void> {
    const params = { path: { model } };
    const headers = this.acting(key);
    await this.call<unknown>((init) => {
      const options = { ...init, params, headers: { ...init.headers, ...headers } };
      return action === 'set-traffic'
        ? this.http.PUT('/api/v1/models/{model}/traffic', { ...options, body: { weights: { ...weights }, reason } })
        : this.http.POST(`/api/v1/models/{model}/${action}`, { ...options, body: { reason } });
    });
  }

  private acting(key: string | undefined): Record<string, string> {
    const name = this.session.name().trim();
    return { ...(key ? { 'idempotency-key': key } : {}), ...(name ? { 'x-actor': name } : {}) };
  }

  private async call<T>(
    send: (init: { readonly headers: Record<string, string>; readonly signal: AbortSignal }) => Answer<T>,
  ): Promise<T> {
    const { data, error, response } = await send({
      headers: this.session.headers(),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((reason: unknown) => {
      if (reason instanceof DOMException && reason.name === 'AbortError') throw reason;
      throw unreachable(reason);
    });
    if (response.status === 401) this.session.signOut();
    if (!response.ok) throw refusalOf(response.status, error);
    if (data === undefined) throw new ApiError(response.status, 'not-the-api', 'something else than the API answered');
    return data;
  }
}
