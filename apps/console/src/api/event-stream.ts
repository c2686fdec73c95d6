import { createParser } from 'eventsource-parser';
import { ApiError, refusalOf, unreachable } from './api-error.js';

export interface EventStreamRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly lastEventId: string | null;
  readonly signal: AbortSignal;
  /** Called once the server has begun to answer, before the first event; awaited. */
  readonly onOpen: () => Promise<void>;
  readonly onId: (id: string) => void;
  readonly onEvent: (event: string, data: unknown) => void;
}

/** The server's heartbeat comes every 10 s. */
const SILENCE_MS_MAX = 30_000;
/** Something between us holds answers back: polling is better then. */
const FIRST_BYTE_MS_MAX = 8_000;

/**
 * Reads server-sent events until the stream ends (resolves) or breaks (rejects with ApiError, or what onOpen rejects
 * with). EventSource cannot send a token, so this is fetch.
 */
export async function readEvents(request: EventStreamRequest): Promise<void> {
  const { path, headers, lastEventId, signal, onOpen, onId, onEvent } = request;
  const silence = new Silence(signal);
  try {
    silence.allow(FIRST_BYTE_MS_MAX);
    const response = await fetch(path, {
      headers: { accept: 'text/event-stream', ...headers, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
      cache: 'no-store',
      signal: silence.signal,
    });
    if (!response.ok || !response.body) throw refusalOf(response.status, await response.json().catch(() => null));
    if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
      throw new ApiError(response.status, 'not-the-api', 'something else than the API answered');
    silence.allow(SILENCE_MS_MAX);
    await onOpen();
    const parser = createParser({
      onId,
      onEvent: ({ event, data }) => {
        if (event !== undefined) onEvent(event, JSON.parse(data) as unknown);
      },
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      silence.allow(SILENCE_MS_MAX);
      parser.feed(value);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof ApiError ? error : unreachable(error);
  } finally {
    silence.end();
  }
}

/** Aborts when nothing has come for longer than allowed. */
class Silence {
  private readonly controller = new AbortController();
  readonly signal: AbortSignal;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.controller.signal]);
  }

  allow(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new DOMException('silence', 'TimeoutError')), ms);
  }

  end(): void {
    clearTimeout(this.timer);
    this.controller.abort();
  }
}
