/** How an answer's body ends. */
export type Framing = 'none' | 'length' | 'chunked' | 'until-close';

/** The head of a model server's answer. */
export interface AnswerHead {
  readonly httpStatus: number;
  /** Names and values as they stood on the wire, one after the other; as latin1 text. */
  readonly rawHeaders: readonly string[];
  readonly framing: Framing;
  /** Bytes of the body; 0 unless `framing` is `length`. */
  readonly bodyBytes: number;
  /** Null: not said. Of an answer without a body it says how long that would be. */
  readonly contentLength: number | null;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** The connection may be used again. */
  readonly keepsAlive: boolean;
  /** Seconds an idle connection stays open, if the server says so. */
  readonly keepAliveS: number | null;
}

/** Why an answer is none that can be passed on. What is read two ways by two readers is refused, not guessed. */
export type AnswerFault =
  'malformed-head' | 'head-too-long' | 'ambiguous-length' | 'malformed-chunk' | 'protocol-switch' | 'excess-bytes';

/** Other than text, tabs and whole line breaks; a line that goes on in the next one (obs-fold). */
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n|\r\n[\t ]/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const DIGITS = /^\d{1,15}$/;
const KEEP_ALIVE_S = /(?:^|[\s,])timeout=(\d{1,6})(?:$|[\s,])/i;
const STATUS_LINE_LENGTH_MIN = 'HTTP/1.1 200'.length;

/** What headers say about their own message. */
interface Said {
  contentLength: string | null;
  lengths: number;
  transferEncoding: string | null;
  encodings: number;
  contentType: string | null;
  contentEncoding: string | null;
  closes: boolean;
  keepsAlive: boolean;
  keepAliveS: number | null;
}

/**
 * Reads a whole head: latin1 text from the status line up to the empty line, without both of its line breaks.
 * `toHead`: it answers a HEAD, so no body follows.
 */
export function parseAnswerHead(text: string, toHead: boolean): AnswerHead | AnswerFault {
  if (FORBIDDEN.test(text)) return 'malformed-head';
  const httpStatus = statusOf(text);
  if (httpStatus === null) return 'malformed-head';
  if (httpStatus === 101) return 'protocol-switch';
  const said: Said = {
    contentLength: null,
    lengths: 0,
    transferEncoding: null,
    encodings: 0,
    contentType: null,
    contentEncoding: null,
    closes: false,
    keepsAlive: false,
    keepAliveS: null,
  };
  const rawHeaders: string[] = [];
  const statusEnd = text.indexOf('\r\n');
  for (let start = statusEnd === -1 ? text.length : statusEnd + 2; start < text.length;) {
    const lineEnd = text.indexOf('\r\n', start);
    const end = lineEnd === -1 ? text.length : lineEnd;
    const colon = text.indexOf(':', start);
    if (colon === -1 || colon >= end) return 'malformed-head';
    const name = text.slice(start, colon);
    if (!TOKEN.test(name)) return 'malformed-head';
    const value = trimmed(text, colon + 1, end);
    rawHeaders.push(name, value);
    hear(said, name, value);
    start = end + 2;
  }
  return withFraming({ httpStatus, rawHeaders, said, isOld: text.charCodeAt(7) === 0x30, toHead });
}

/** `HTTP/1.x nnn`, and then nothing or a blank and a reason. */
function statusOf(text: string): number | null {
  if (text.length < STATUS_LINE_LENGTH_MIN || !text.startsWith('HTTP/1.')) return null;
  const minor = text.charCodeAt(7);
  if ((minor !== 0x30 && minor !== 0x31) || text.charCodeAt(8) !== 0x20) return null;
  let status = 0;
  for (let i = 9; i < 12; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return null;
    status = status * 10 + digit;
  }
  const after = text.charCodeAt(12);
  if (!Number.isNaN(after) && after !== 0x20 && after !== 0x0d) return null;
  return status >= 100 && status <= 599 ? status : null;
}

function trimmed(text: string, start: number, end: number): string {
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Only names of these lengths say anything about the message. */
function hear(said: Said, name: string, value: string): void {
  switch (name.length) {
    case 10:
      return hearConnection(said, name.toLowerCase(), value);
    case 12:
      if (name.toLowerCase() === 'content-type') said.contentType ??= value;
      return;
    case 14:
      if (name.toLowerCase() !== 'content-length') return;
      said.contentLength = value;
      said.lengths++;
      return;
    case 16:
      if (name.toLowerCase() === 'content-encoding') said.contentEncoding ??= value;
      return;
    case 17:
      if (name.toLowerCase() !== 'transfer-encoding') return;
      said.transferEncoding = value;
      said.encodings++;
      return;
  }
}

function hearConnection(said: Said, name: string, value: string): void {
  if (name === 'keep-alive') {
    const seconds = KEEP_ALIVE_S.exec(value)?.[1];
    if (seconds !== undefined) said.keepAliveS = Number(seconds);
  } else if (name === 'connection') {
    for (const option of value.toLowerCase().split(',')) {
      if (option.trim() === 'close') said.closes = true;
      else if (option.trim() === 'keep-alive') said.keepsAlive = true;
    }
  }
}

/** RFC 9112, 6.3, without any of its allowances. */
function withFraming(head: {
  readonly httpStatus: number;
  readonly rawHeaders: readonly string[];
  readonly said: Said;
  readonly isOld: boolean;
  readonly toHead: boolean;
}): AnswerHead | AnswerFault {
  const { httpStatus, rawHeaders, said, isOld, toHead } = head;
  const { contentLength, transferEncoding, contentType, contentEncoding, keepAliveS } = said;
  if (said.lengths > 1 || said.encodings > 1) return 'ambiguous-length';
  if (contentLength !== null && (transferEncoding !== null || !DIGITS.test(contentLength))) return 'ambiguous-length';
  if (transferEncoding !== null && (isOld || transferEncoding.toLowerCase() !== 'chunked')) return 'ambiguous-length';
  const length = contentLength === null ? null : Number(contentLength);
  const bodiless = toHead || httpStatus < 200 || httpStatus === 204 || httpStatus === 304;
  const framing = bodiless
    ? 'none'
    : transferEncoding !== null
      ? 'chunked'
      : length === null
        ? 'until-close'
        : length === 0
          ? 'none'
          : 'length';
  return {
    httpStatus,
    rawHeaders,
    framing,
    bodyBytes: framing === 'length' ? length! : 0,
    contentLength: length,
    contentType,
    contentEncoding,
    keepsAlive: framing !== 'until-close' && !said.closes && (!isOld || said.keepsAlive),
    keepAliveS,
  };
}
