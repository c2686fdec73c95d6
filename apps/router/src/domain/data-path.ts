/** A request target of the data plane: which model, and the path and query that go to its model server. */
export interface DataPath {
  readonly model: string;
  /** Path and query as they came, byte for byte; without `/models/{model}` for the generic form. */
  readonly target: string;
}

const PREFIXES = ['/v2/models/', '/v1/models/'];
const GENERIC_PREFIX = '/models/';
/** Would climb out of a version's base URL. */
const DOT_SEGMENT = /\/(\.|%2e){1,2}(?=[/?]|$)/i;

/** Whether a request target belongs to the data plane at all; everything else is the router's own. */
export function isDataPath(url: string): boolean {
  return url.startsWith('/v2/models/') || url.startsWith('/v1/models/') || url.startsWith(GENERIC_PREFIX);
}

/**
 * Reads a request target for which isDataPath() holds. The model's name ends at `/`, `?` or, in the v1 protocol, at
 * the `:` of its verb. A text says what is wrong with it.
 */
export function parseDataPath(url: string): DataPath | string {
  if (DOT_SEGMENT.test(url)) return 'the path must not have dot segments';
  const generic = url.startsWith(GENERIC_PREFIX);
  const start = generic ? GENERIC_PREFIX.length : PREFIXES[0]!.length;
  let end = start;
  while (end < url.length && !isEnd(url.charCodeAt(end), url.charCodeAt(2) === 0x31)) end++;
  const model = decoded(url.slice(start, end));
  if (!model) return 'the path must name a model';
  if (!generic) return { model, target: url };
  const rest = url.slice(end);
  return { model, target: rest.startsWith('/') ? rest : `/${rest}` };
}

function isEnd(code: number, verbs: boolean): boolean {
  return code === 0x2f || code === 0x3f || (verbs && code === 0x3a);
}

function decoded(segment: string): string | null {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}
