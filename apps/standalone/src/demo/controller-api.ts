import type { Api, Decision } from '@app/shared';

const REQUEST_TIMEOUT_MS = 10_000;

/** What the demo asks of the controller. Every method rejects on an answer that is not 2xx, with the answer's words. */
export class ControllerApi {
  constructor(
    readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Registers a model, or begins a rollout. */
  async apply(rolloutFile: string): Promise<void> {
    await this.request('rollouts', { method: 'POST', body: rolloutFile, headers: { 'content-type': 'text/yaml' } });
  }

  async model(name: string): Promise<Api['ModelView']> {
    return (await this.request(`models/${name}`)) as Api['ModelView'];
  }

  /** Every decision on a model, oldest first. */
  async history(name: string): Promise<readonly Decision[]> {
    return ((await this.request(`models/${name}/history`)) as { decisions: Decision[] }).decisions;
  }

  private async request(path: string, init: RequestInit = {}): Promise<unknown> {
    const signal = AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
    const response = await fetch(`${this.url}/api/v1/${path}`, { ...init, signal });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} /api/v1/${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as unknown;
  }
}
