const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;

/** What became of one attempt to deliver. */
export type Attempt =
  | { readonly kind: 'delivered' }
  /** The receiver wants no more of it, ever. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string; readonly retryAfterMs?: number };

/**
 * How long until the next attempt: doubled each time up to five minutes, at least as long as the receiver asks for, and
 * up to a quarter more, so that many decisions do not come back at one moment.
 * @param attempts those that failed, at least 1
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempts: number, retryAfterMs: number | undefined, random: number): number {
  const doubledMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempts - 1, 20));
  return Math.max(doubledMs, Math.min(retryAfterMs ?? 0, LONGEST_MS)) * (1 + random / 4);
}
