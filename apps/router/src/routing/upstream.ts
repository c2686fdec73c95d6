import { isIP } from 'node:net';
import { CanaryError, type Clock } from '@app/shared/core';
import { withoutHeaders } from '../domain/headers.js';
import type { Body } from '../proxy/request-body.js';
import { UpstreamClient } from '../proxy/upstream-client.js';
import type { AnswerHandler } from '../proxy/upstream-connection.js';

/** How the router speaks to model servers. */
export interface UpstreamSettings {
  /** Headers of our own, by version or `*`; secret. */
  readonly headers: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** A request as the data plane forwards it. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path and query, below the version's base URL. */
  readonly target: string;
  /** Header lines, each with its line break; without Host and Content-Length. */
  readonly lines: string;
  readonly body: Body | null;
}

/** The connections to one version's model server, and how many predictions it works on for this router. */
export class Upstream {
  /** Counted by whoever sends: from then to the last byte, or to when the connection is given up. */
  inFlight = 0;
  private readonly client: UpstreamClient;
  private readonly basePath: string;
  private readonly hostLine: string;
  private readonly ownLines: string;
  private readonly ownNames: ReadonlySet<string>;

  constructor(
    url: string,
    headers: Readonly<Record<string, string>>,
    settings: { readonly tls: UpstreamSettings['tls']; readonly clock: Clock },
  ) {
    const base = new URL(url);
    const isTls = base.protocol === 'https:';
    const host = base.hostname.replace(/^\[|\]$/g, '');
    this.basePath = base.pathname.replace(/\/$/, '');
    this.hostLine = ` HTTP/1.1\r\nHost: ${base.host}\r\n`;
    this.ownLines = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    this.ownNames = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const port = base.port === '' ? (isTls ? 443 : 80) : Number(base.port);
    const tls = isTls ? { ...settings.tls, ...(isIP(host) === 0 ? { servername: host } : {}) } : null;
    this.client = new UpstreamClient({ host, port, tls }, settings.clock);
  }

  /** Sends a request; everything else is told to the handler, failures too. */
  send({ method, target, lines, body }: ForwardedRequest, handler: AnswerHandler): void {
    const sent = this.ownLines === '' ? lines : withoutHeaders(lines, this.ownNames) + this.ownLines;
    const head = `${method} ${this.basePath}${target}${this.hostLine}${sent}${lengthLine(method, body)}\r\n`;
    this.client.send({ head, body, isHead: method === 'HEAD' }, handler);
  }

  /** Lets what is under way finish. */
  close(): void {
    this.client.close();
  }

  /** Cuts all connections. */
  destroy(): void {
    this.client.destroy();
  }
}

/** A server may wait for a body where one is usual, if nothing is said. */
function lengthLine(method: string, body: Body | null): string {
  if (body !== null) return `Content-Length: ${body.length}\r\n`;
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 'Content-Length: 0\r\n' : '';
}

/** All model servers in use, each once: a version keeps its connections and its count over changes of weight. */
export class Upstreams {
  private readonly byName = new Map<string, Upstream>();

  constructor(private readonly settings: UpstreamSettings & { readonly clock: Clock }) {}

  /** The upstream of a version at a URL. */
  get(model: string, version: string, url: string): Upstream {
    const name = JSON.stringify([model, version, url]);
    let upstream = this.byName.get(name);
    if (!upstream) {
      const { headers } = this.settings;
      upstream = new Upstream(url, { ...headers['*'], ...headers[version] }, this.settings);
      this.byName.set(name, upstream);
    }
    return upstream;
  }

  /** Closes all others; what they work on is finished first. */
  retain(used: ReadonlySet<Upstream>): void {
    for (const [name, upstream] of this.byName) {
      if (used.has(upstream)) continue;
      this.byName.delete(name);
      upstream.close();
    }
  }

  /** Cuts all connections. */
  destroy(): void {
    for (const upstream of this.byName.values()) upstream.destroy();
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
      if (
        !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) ||
        typeof value !== 'string' ||
        !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)
      )
        throw bad();
  }
  return parsed as UpstreamSettings['headers'];
}
