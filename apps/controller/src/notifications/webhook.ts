import type { Attempt } from '../domain/notifications/retry.js';
import type { Message } from '../domain/notifications/message.js';

const ANSWER_WITHIN_MS = 10_000;
const WORDS_MAX = 200;
/** The receiver says that it has gone for good. */
const GONE = 410;

/** Sends a message once. Never rejects. A redirect is not followed: it would take the message elsewhere than was configured. */
export async function deliver(url: string, { body, headers }: Message, signal: AbortSignal): Promise<Attempt> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
    });
    const words = (await response.text()).slice(0, WORDS_MAX);
    if (response.ok) return { kind: 'delivered' };
    const why = `status ${response.status}${words === '' ? '' : `: ${words}`}`;
    if (response.status === GONE) return { kind: 'refused', why };
    return { kind: 'failed', why, ...retryAfter(response) };
  } catch (error) {
    const { name, cause, message } = error as Error & { cause?: { code?: string } };
    if (name === 'TimeoutError') return { kind: 'failed', why: `no answer within ${ANSWER_WITHIN_MS / 1000} s` };
    return { kind: 'failed', why: cause?.code ?? message };
  }
}

function retryAfter(response: Response): { retryAfterMs?: number } {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {};
}
