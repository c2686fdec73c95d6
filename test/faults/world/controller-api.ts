import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutState } from '@app/shared';

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const ANSWER_MS_MAX = 8_000;
const AGAIN_MS = 250;

/** The control API of whichever controller answers: asked again, with the same key, until one says yes or no. */
export class ControllerApi {
  /** @param urls of the controllers that are there now. */
  constructor(private readonly urls: () => readonly string[]) {}

  /** The state of a model; null if the signal comes before an answer. Waits until the model is known. */
  async state(model: string, signal?: AbortSignal): Promise<RolloutState | null> {
    const answer = await this.ask('GET', `models/${model}`, { signal });
    return answer && (answer.body as { state: RolloutState }).state;
  }

  /**
   * Orders something. Null if the signal comes before an answer; it may have been carried out then. Throws if the order
   * itself is wrong.
   */
  async order(
    path: string,
    body: object,
    options: { readonly commandId: string; readonly signal?: AbortSignal },
  ): Promise<ApiAnswer | null> {
    const answer = await this.ask('POST', path, { body, ...options });
    if (answer?.status === 422) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
    return answer;
  }

  private async ask(
    method: 'GET' | 'POST',
    path: string,
    options: { readonly body?: object; readonly commandId?: string; readonly signal?: AbortSignal },
  ): Promise<ApiAnswer | null> {
    const signal = options.signal ?? new AbortController().signal;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const urls = this.urls();
      const url = urls[attempt % Math.max(1, urls.length)];
      const answer = url === undefined ? null : await askOne(`${url}/api/v1/${path}`, { method, ...options, signal });
      // A model that is not known yet, or a controller that cannot reach Kafka now.
      const comesLater = answer === null || answer.status >= 500 || (answer.status === 404 && method === 'GET');
      if (!comesLater) return answer;
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined); // the loop looks
    }
    return null;
  }
}

/** Null: killed, suspended or cut off. */
async function askOne(
  url: string,
  { method, body, commandId, signal }: { method: string; body?: object; commandId?: string; signal: AbortSignal },
): Promise<ApiAnswer | null> {
  // JSON is YAML.
  const type = url.endsWith('/rollouts') ? 'text/yaml' : 'application/json';
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.any([AbortSignal.timeout(ANSWER_MS_MAX), signal]),
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': type, 'idempotency-key': commandId! } } : {}),
    });
    return { status: response.status, body: await response.json() };
  } catch {
    return null;
  }
}
