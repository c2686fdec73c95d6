/** Header names are compared in lower case. Raw lists alternate names and values, as node:http and undici give them. */
export const PREDICTION_ID_HEADER = 'x-prediction-id';
export const VERSION_HEADER = 'x-model-version';

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
/** Ours: from outside they would be believed further on. */
const OWN = [PREDICTION_ID_HEADER, VERSION_HEADER];
const NEVER_SENT_ON = new Set([...HOP_BY_HOP, ...OWN, 'content-length', 'expect', 'host']);
const NEVER_SENT_BACK = new Set([...HOP_BY_HOP, ...OWN]);

/**
 * Headers of a request as they go to a model server: without those of this connection, ours, and any in `without`
 * (lower case). Length and host are set by the upstream client.
 */
export function requestHeaders(raw: readonly string[], without: ReadonlySet<string> | null): string[] {
  const named = namedByConnection(raw);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (NEVER_SENT_ON.has(name) || without?.has(name) || named?.has(name)) continue;
    headers.push(raw[i]!, raw[i + 1]!);
  }
  return headers;
}

/** Headers of an answer as they go to the client. The caller adds ours. */
export function answerHeaders(raw: readonly string[]): string[] {
  const named = namedByConnection(raw);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (NEVER_SENT_BACK.has(name) || named?.has(name)) continue;
    headers.push(raw[i]!, raw[i + 1]!);
  }
  return headers;
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
