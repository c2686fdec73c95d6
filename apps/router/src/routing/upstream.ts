import { Pool, type Dispatcher } from 'undici';
import { CanaryError } from '@app/shared';

/** How the router speaks to model servers. */
export interface UpstreamSettings {
  /** Headers of our own, by version or `*`; secret. */
  readonly headers: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Model servers close idle connections after 5 s at the earliest (uvicorn, Node): be earlier, or requests get lost. */
const KEEP_ALIVE_MS = 4000;
const CONNECT_TIMEOUT_MS = 5000;

/** The connections to one version's model server, and how many predictions it works on for this router. */
export class Upstream {
  /** Counted by whoever dispatches: from the dispatch to the last byte, or to when the connection is given up. */
  inFlight = 0;
  private readonly pool: Pool;
  private readonly basePath: string;
  private readonly ownHeaders: readonly string[];
  private readonly ownNames: ReadonlySet<string>;

  constructor(url: string, headers: Readonly<Record<string, string>>, tls: UpstreamSettings['tls']) {
    const base = new URL(url);
    this.basePath = base.pathname.replace(/\/$/, '');
    this.ownHeaders = Object.entries(headers).flat();
    this.ownNames = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    this.pool = new Pool(base.origin, {
      pipelining: 1,
      allowH2: false,
      // Deadlines are ours: undici's timers would cost as much as the rest of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...tls },
    });
  }

  /** Sends a request; everything else is told to the handler, errors too. */
  dispatch(
    request: { method: string; target: string; headers: string[]; body: Buffer | null },
    handler: Dispatcher.DispatchHandler,
  ): void {
    const headers = this.ownHeaders.length === 0 ? request.headers : this.withOwnHeaders(request.headers);
    this.pool.dispatch(
      {
        path: this.basePath + request.target,
        method: request.method,
        headers,
        body: request.body,
      },
      handler,
    );
  }

  /** Lets what is under way finish. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  async destroy(): Promise<void> {
    await this.pool.destroy();
  }

  private withOwnHeaders(raw: string[]): string[] {
    const headers: string[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2)
      if (!this.ownNames.has(raw[i]!.toLowerCase())) headers.push(raw[i]!, raw[i + 1]!);
    headers.push(...this.ownHeaders);
    return headers;
  }
}

/** All model servers in use, each once: a version keeps its connections and its count over changes of weight. */
export class Upstreams {
  private readonly byName = new Map<string, Upstream>();

  constructor(private readonly settings: UpstreamSettings) {}

  /** The upstream of a version at a URL. */
  get(model: string, version: string, url: string): Upstream {
    const name = JSON.stringify([model, version, url]);
    let upstream = this.byName.get(name);
    if (!upstream) {
      const { headers, tls } = this.settings;
      upstream = new Upstream(url, { ...headers['*'], ...headers[version] }, tls);
      this.byName.set(name, upstream);
    }
    return upstream;
  }

  /** Closes all others; what they work on is finished first. */
  retain(used: ReadonlySet<Upstream>): void {
    for (const [name, upstream] of this.byName) {
      if (used.has(upstream)) continue;
      this.byName.delete(name);
      upstream.close().catch(() => undefined); // closed already, together with the process
    }
  }

  /** Cuts all connections. */
  async destroy(): Promise<void> {
    await Promise.all([...this.byName.values()].map((upstream) => upstream.destroy()));
    this.byName.clear();
  }
}

/** Reads ROUTER_UPSTREAM_HEADERS. Throws CanaryError `bad-configuration`, never with a value in it. */
export function parseUpstreamHeaders(text: string | undefined): UpstreamSettings['headers'] {
  if (!text) return {};
  const bad = (): CanaryError =>
    new CanaryError(
      'bad-configuration',
      'ROUTER_UPSTREAM_HEADERS: JSON of {"<version or *>": {"<header>": "<value>"}}',
    );
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bad();
  }
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isRecord(parsed)) throw bad();
  for (const headers of Object.values(parsed)) {
    if (!isRecord(headers)) throw bad();
    for (const [name, value] of Object.entries(headers))
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || typeof value !== 'string' || /[\r\n\0]/.test(value))
        throw bad();
  }
  return parsed as UpstreamSettings['headers'];
}
