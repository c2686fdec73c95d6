/** Header names are compared in lower case. Raw lists alternate names and values, as node:http gives them. */
export const PREDICTION_ID_HEADER = 'x-prediction-id';
export const VERSION_HEADER = 'x-model-version';
/** Tells a model server that nobody will see its answer. */
export const SHADOW_HEADER = 'x-model-shadow';

/** Meant for one connection only (RFC 9110, 7.6.1), or set anew for each connection. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** Ours: from outside they would be believed further on. Servers that take _ for - (CGI, WSGI) see both as one. */
const OWN = [PREDICTION_ID_HEADER, VERSION_HEADER, SHADOW_HEADER];
const OWN_LENGTHS = new Set(OWN.map((name) => name.length));
const NEVER_SENT_ON = new Set([...HOP_BY_HOP, ...OWN, 'content-length', 'expect', 'host']);
const NEVER_SENT_BACK = new Set([...HOP_BY_HOP, ...OWN]);
const NO_CONTENT = 204;
/** Behind each line break. */
const LINE_ENDS = /(?<=\r\n)/;

/** Names, in lower case, of the headers the router itself reads. */
export interface OwnHeaderNames {
  readonly user: string;
  /** Null: switched off. */
  readonly override: string | null;
  readonly cookie: boolean;
}

/** What the router takes from a request's headers, in one pass. */
export interface RequestHead {
  /**
   * As they go to a model server, a line each with its line break: without those of this connection, and without ours.
   * Length and host are set there.
   */
  readonly lines: string;
  /** The first value of the user header, if it has one. */
  readonly user: string | null;
  /** The version a tester names. */
  readonly override: string | null;
  /** The value of our cookie. */
  readonly cookieUnit: string | null;
  /** As declared; null if it is not, or comes in chunks. */
  readonly contentLength: number | null;
  readonly hasBody: boolean;
  /** Why the request cannot be passed on, although Node's parser let it through. */
  readonly fault: RequestFault | null;
}

export type RequestFault = 'two-hosts' | 'transfer-encoding';

/** Reads a raw list of request headers. */
export function readRequestHead(raw: readonly string[], names: OwnHeaderNames): RequestHead {
  const named = namedByConnection(raw);
  let lines = '';
  let user: string | null = null;
  let override: string | null = null;
  let cookieUnit: string | null = null;
  let contentLength: number | null = null;
  let chunked = false;
  let hosts = 0;
  let fault: RequestFault | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name === 'content-length') {
      contentLength = Number(value);
    } else if (name === 'host') {
      if (++hosts > 1) fault = 'two-hosts';
    } else if (name === 'transfer-encoding') {
      chunked = true;
      // Any other encoding would be left on the body, and nobody told of it.
      if (value.toLowerCase() !== 'chunked') fault = 'transfer-encoding';
    }
    if (name === names.override) {
      override ??= value;
      continue;
    }
    if (NEVER_SENT_ON.has(name) || isOwnWithUnderscores(name) || named?.has(name)) continue;
    if (name === names.user && value !== '') user ??= value;
    else if (names.cookie && name === 'cookie') cookieUnit ??= unitCookie(value);
    lines += `${raw[i]!}: ${value}\r\n`;
  }
  const hasBody = chunked || (contentLength ?? 0) > 0;
  return { lines, user, override, cookieUnit, contentLength, hasBody, fault };
}

/** Leaves out the headers of these names (lower case) from lines that readRequestHead() gave. */
export function withoutHeaders(lines: string, names: ReadonlySet<string>): string {
  const kept = (line: string): boolean => !names.has(line.slice(0, line.indexOf(':')).toLowerCase());
  return lines
    .split(LINE_ENDS)
    .filter((line) => line !== '' && kept(line))
    .join('');
}

/** Headers of an answer as they go to the client. The caller adds ours. */
export function answerHeaders(httpStatus: number, raw: readonly string[]): string[] {
  const named = namedByConnection(raw);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (NEVER_SENT_BACK.has(name) || isOwnWithUnderscores(name) || named?.has(name)) continue;
    // It would be the length of something that cannot be there.
    if (httpStatus === NO_CONTENT && name === 'content-length') continue;
    headers.push(raw[i]!, raw[i + 1]!);
  }
  return headers;
}

function isOwnWithUnderscores(name: string): boolean {
  return OWN_LENGTHS.has(name.length) && name.includes('_') && OWN.includes(name.replaceAll('_', '-'));
}

/** `Connection: close, x-a` makes x-a a header of this connection. Most messages name nothing. */
function namedByConnection(raw: readonly string[]): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i]!.length !== 10 || raw[i]!.toLowerCase() !== 'connection') continue;
    const value = raw[i + 1]!.toLowerCase();
    if (value === 'keep-alive' || value === 'close') continue;
    named ??= new Set();
    for (const name of value.split(',')) named.add(name.trim());
  }
  return named;
}

/** The value of our cookie in a Cookie header; null if it is not there or not one that we made. */
export function unitCookie(header: string | undefined): string | null {
  if (!header?.includes(UNIT_COOKIE)) return null;
  for (const pair of header.split(';')) {
    const [name, value = ''] = pair.trim().split('=', 2);
    if (name === UNIT_COOKIE) return /^[0-9a-f]{32}$/.test(value) ? value : null;
  }
  return null;
}

export const UNIT_COOKIE = 'mc_unit';
const YEAR_S = 31_536_000;

export function setUnitCookie(unit: string): string {
  return `${UNIT_COOKIE}=${unit}; Path=/; Max-Age=${YEAR_S}; HttpOnly; SameSite=Lax`;
}
