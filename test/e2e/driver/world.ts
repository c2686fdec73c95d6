import type { MessageBus, TopicNames } from '@app/shared';

/** The services under test, as the stories see them: by what they answer and what they write. */
export interface World {
  /** Base URLs of the routers that are ready to take predictions now. */
  readonly routerUrls: () => readonly string[];
  readonly controllerUrl: () => string;
  /** For plain consumers and for those who write to the topics themselves. */
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  close(): Promise<void>;
}

const POLL_MS = 100;

/** Waits for a condition; `what` is in the error when it does not come true in time. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  { withinMs }: { readonly withinMs: number },
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
