import { ApiError } from '../api/api-error.js';
import { readEvents } from '../api/event-stream.js';
import type { Session } from '../api/session.js';
import type { Link } from '../domain/freshness.js';
import { Store } from './store.js';

export interface LiveSourceOptions {
  readonly session: Session;
  /** Of the event stream. */
  readonly path: string;
  /** Reads everything anew: at the start, after a reset, and again and again while there is no stream. */
  readonly load: () => Promise<void>;
  readonly onEvent: (event: string, data: unknown) => void;
}

const RETRY_MS = 1_000;
const POLL_MS = 5_000;
/** A stream nobody looks at is given back; it is resumed from where it was. */
const HIDDEN_MS_MAX = 60_000;

/**
 * Keeps a page fresh: by the event stream, resumed after a break from the last event; by polling while there is no
 * stream. What is shown survives both.
 */
export class LiveSource {
  readonly link = new Store<Link>({ kind: 'connecting' });
  private readonly closed = new AbortController();
  private pause: AbortController | null = null;
  private lastEventId: string | null = null;
  private loaded = false;
  private goodMs = Date.now();
  private hiddenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: LiveSourceOptions) {
    document.addEventListener('visibilitychange', this.onVisibility);
    void this.run();
  }

  close(): void {
    this.closed.abort();
    this.pause?.abort();
    clearTimeout(this.hiddenTimer);
    document.removeEventListener('visibilitychange', this.onVisibility);
  }

  private readonly onVisibility = (): void => {
    clearTimeout(this.hiddenTimer);
    if (document.visibilityState === 'hidden') this.hiddenTimer = setTimeout(() => this.pause?.abort(), HIDDEN_MS_MAX);
  };

  private async run(): Promise<void> {
    while (!this.closed.signal.aborted) {
      await this.visible();
      const failed = await this.follow();
      if (this.closed.signal.aborted) return;
      if (failed) await this.withoutStream(failed);
      await sleep(failed ? POLL_MS : RETRY_MS, this.closed.signal);
    }
  }

  /** One stream from its beginning to its end; what broke it, or null when it just ended. */
  private async follow(): Promise<ApiError | null> {
    this.pause = new AbortController();
    try {
      await readEvents({
        path: this.options.path,
        headers: this.options.session.headers(),
        lastEventId: this.loaded ? this.lastEventId : null,
        signal: AbortSignal.any([this.closed.signal, this.pause.signal]),
        onOpen: async () => {
          if (!this.loaded) await this.load();
          this.good({ kind: 'live' });
        },
        onId: (id) => {
          this.lastEventId = id;
          this.goodMs = Date.now();
        },
        onEvent: (event, data) => this.tell(event, data),
      });
      return null;
    } catch (error) {
      return error as ApiError;
    }
  }

  private tell(event: string, data: unknown): void {
    if (event !== 'reset') return this.options.onEvent(event, data);
    this.loaded = false;
    // The stream goes on meanwhile: what it tells is newer than what is read, or the same.
    this.load().catch(() => this.pause?.abort());
  }

  private async load(): Promise<void> {
    await this.options.load();
    this.loaded = true;
  }

  /** Shows what can be had without a stream, and says what cannot. */
  private async withoutStream(broken: ApiError): Promise<void> {
    try {
      await this.load();
      this.good({ kind: 'polling' });
    } catch (error) {
      const why = (error as Error).message || broken.message;
      this.link.set({ kind: 'lost', sinceMs: this.goodMs, why });
    }
  }

  private good(link: Link): void {
    this.goodMs = Date.now();
    this.link.set(link);
  }

  private visible(): Promise<void> {
    if (document.visibilityState !== 'hidden' || this.pause === null || !this.pause.signal.aborted)
      return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (document.visibilityState === 'hidden' && !this.closed.signal.aborted) return;
        document.removeEventListener('visibilitychange', look);
        resolve();
      };
      document.addEventListener('visibilitychange', look);
      this.closed.signal.addEventListener('abort', look);
    });
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
