import { type AnswerFault, type AnswerHead, parseAnswerHead } from './answer-head.js';
import { ByteStore } from './byte-store.js';

/** Told what an answer consists of, in this order. Bytes are those of the read: who keeps them must copy them. */
export interface AnswerSink {
  onHead(head: AnswerHead): void;
  onBody(bytes: Buffer): void;
  /** Everything came. `last`: the end of the body, if it was not told by onBody(). */
  onEnd(last: Buffer | null): void;
}

const HEAD_BYTES_MAX = 65_536;
/** Size and extensions of one chunk; likewise one line of a trailer. */
const LINE_BYTES_MAX = 4096;
const TRAILER_BYTES_MAX = 16_384;
/** A server could go on for ever with answers that are none. */
const INFORMATIONAL_MAX = 32;
/** Longer heads are not remembered. */
const REMEMBERED_LENGTH_MAX = 1024;
const HEAD_END = Buffer.from('\r\n\r\n');
const HEAD_BEGINNING = 'HTTP/1.';
const LF = 0x0a;
const CR = 0x0d;

const CHUNK_LINE = /^([0-9A-Fa-f]{1,12})(?:;[\t\x20-\x7e\x80-\xff]*)?$/;
const TRAILER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

type State = 'head' | 'length' | 'until-close' | 'chunk-line' | 'chunk' | 'chunk-end' | 'trailer' | 'done';

/**
 * Reads the answers that come on one connection to a model server, one after the other: begin(), then feed() with what
 * comes, however it is cut, until the sink is told the end. Trailers and informational answers are read and left out.
 */
export class AnswerParser {
  private state: State = 'done';
  private toHead = false;
  /** Bytes left of the body or of the chunk. */
  private left = 0;
  /** The beginning of a head or of a line whose end has not come yet. */
  private readonly waiting = new ByteStore();
  private trailerBytes = 0;
  private informational = 0;
  /** The last head, as text and as read: the answers of one server mostly begin alike. */
  private known: { readonly text: string; readonly toHead: boolean; readonly head: AnswerHead } | null = null;
  private untouched = true;

  constructor(private readonly sink: AnswerSink) {}

  /** The next answer is expected. `toHead`: to a HEAD request. */
  begin(toHead: boolean): void {
    this.stop();
    this.state = 'head';
    this.toHead = toHead;
    this.trailerBytes = 0;
    this.informational = 0;
    this.untouched = true;
  }

  /** Nothing of the answer has come so far. */
  get isUntouched(): boolean {
    return this.untouched;
  }

  /** No answer is expected, or the one that was is complete. */
  get isDone(): boolean {
    return this.state === 'done';
  }

  /** Tells nothing any more. */
  stop(): void {
    this.state = 'done';
    if (this.waiting.length > 0) this.waiting.clear();
  }

  /** Takes the next bytes. A fault is final: the connection cannot be used any more. */
  feed(bytes: Buffer): AnswerFault | null {
    this.untouched = false;
    for (let at = 0; at < bytes.length && !this.isDone;) {
      const next = this.step(bytes, at);
      if (typeof next === 'string') {
        this.stop();
        return next;
      }
      at = next;
    }
    return null;
  }

  /** The server closed the connection. Says whether the answer is complete thereby; the sink is told then. */
  end(): boolean {
    if (this.state !== 'until-close') return false;
    this.finish(null);
    return true;
  }

  /** Returns where to go on. */
  private step(bytes: Buffer, at: number): number | AnswerFault {
    switch (this.state) {
      case 'head':
        return this.readHead(bytes, at);
      case 'length':
        return this.readLength(bytes, at);
      case 'until-close':
        this.sink.onBody(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'chunk-line':
        return this.readChunkLine(bytes, at);
      case 'chunk':
        return this.readChunk(bytes, at);
      case 'chunk-end':
        return this.readChunkEnd(bytes, at);
      case 'trailer':
        return this.readTrailer(bytes, at);
      case 'done':
        return bytes.length;
    }
  }

  private readHead(bytes: Buffer, at: number): number | AnswerFault {
    if (this.waiting.length > 0) return this.readRestOfHead(bytes, at);
    const end = bytes.indexOf(HEAD_END, at);
    if (end === -1) {
      const beginning = at === 0 ? bytes : bytes.subarray(at);
      this.waiting.add(beginning);
      return impossibleHead(beginning, 0) ?? bytes.length;
    }
    if (end - at > HEAD_BYTES_MAX) return 'head-too-long';
    return this.takeHead(bytes.toString('latin1', at, end), end + HEAD_END.length, bytes.length);
  }

  private readRestOfHead(bytes: Buffer, at: number): number | AnswerFault {
    const known = this.waiting.length;
    this.waiting.add(at === 0 ? bytes : bytes.subarray(at));
    const all = this.waiting.view();
    const end = all.indexOf(HEAD_END, Math.max(0, known - HEAD_END.length + 1));
    if (end === -1) return impossibleHead(all, known) ?? bytes.length;
    if (end > HEAD_BYTES_MAX) return 'head-too-long';
    const text = all.toString('latin1', 0, end);
    this.waiting.clear();
    return this.takeHead(text, at + end + HEAD_END.length - known, bytes.length);
  }

  /** `next`: where what follows the head begins, of `length` bytes that came. */
  private takeHead(text: string, next: number, length: number): number | AnswerFault {
    const head = this.parseHead(text);
    if (typeof head === 'string') return head;
    if (head.httpStatus < 200) return ++this.informational > INFORMATIONAL_MAX ? 'malformed-head' : next;
    const { framing, bodyBytes } = head;
    if ((framing === 'none' || framing === 'length') && length - next > bodyBytes) return 'excess-bytes';
    this.left = bodyBytes;
    if (framing !== 'none') this.state = framing === 'chunked' ? 'chunk-line' : framing;
    this.sink.onHead(head);
    if (framing === 'none' && !this.isDone) this.finish(null);
    return next;
  }

  private parseHead(text: string): AnswerHead | AnswerFault {
    const { known, toHead } = this;
    if (known !== null && known.text === text && known.toHead === toHead) return known.head;
    const head = parseAnswerHead(text, toHead);
    if (typeof head !== 'string' && text.length <= REMEMBERED_LENGTH_MAX) this.known = { text, toHead, head };
    return head;
  }

  private readLength(bytes: Buffer, at: number): number | AnswerFault {
    const here = bytes.length - at;
    if (here > this.left) return 'excess-bytes';
    const piece = at === 0 ? bytes : bytes.subarray(at);
    this.left -= here;
    if (this.left === 0) this.finish(piece);
    else this.sink.onBody(piece);
    return bytes.length;
  }

  private readChunkLine(bytes: Buffer, at: number): number | AnswerFault {
    const end = this.lineEnd(bytes, at);
    if (end === null) return 'malformed-chunk';
    if (end === -1) return bytes.length;
    const digits = CHUNK_LINE.exec(this.takeLine(bytes, at, end) ?? '')?.[1];
    if (digits === undefined) return 'malformed-chunk';
    this.left = parseInt(digits, 16);
    this.state = this.left === 0 ? 'trailer' : 'chunk';
    return end + 1;
  }

  private readChunk(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    if (this.left === 0) this.state = 'chunk-end';
    this.sink.onBody(bytes.subarray(at, end));
    return end;
  }

  private readChunkEnd(bytes: Buffer, at: number): number | AnswerFault {
    const end = this.lineEnd(bytes, at);
    if (end === -1 && this.waiting.length === 1 && this.waiting.view()[0] === CR) return bytes.length;
    if (end === null || end === -1 || this.takeLine(bytes, at, end) !== '') return 'malformed-chunk';
    this.state = 'chunk-line';
    return end + 1;
  }

  private readTrailer(bytes: Buffer, at: number): number | AnswerFault {
    const end = this.lineEnd(bytes, at);
    if (end === null) return 'malformed-chunk';
    if (end === -1) return bytes.length;
    const line = this.takeLine(bytes, at, end);
    if (line === '') {
      if (end + 1 < bytes.length) return 'excess-bytes';
      this.finish(null);
      return end + 1;
    }
    this.trailerBytes += line?.length ?? 0;
    if (line === null || this.trailerBytes > TRAILER_BYTES_MAX || !TRAILER_LINE.test(line)) return 'malformed-chunk';
    return end + 1;
  }

  /** Index of the line feed that ends the line. -1: it has not come, and what has is kept. Null: the line is too long. */
  private lineEnd(bytes: Buffer, at: number): number | null {
    const end = bytes.indexOf(LF, at);
    const length = this.waiting.length + (end === -1 ? bytes.length : end) - at;
    if (length > LINE_BYTES_MAX) return null;
    if (end === -1) this.waiting.add(bytes.subarray(at));
    return end;
  }

  /** The line that ends there, without its line break; null: it ends with a line feed alone. */
  private takeLine(bytes: Buffer, at: number, end: number): string | null {
    let text = bytes.toString('latin1', at, end);
    if (this.waiting.length > 0) {
      text = this.waiting.view().toString('latin1') + text;
      this.waiting.clear();
    }
    return text.endsWith('\r') ? text.slice(0, -1) : null;
  }

  private finish(last: Buffer | null): void {
    this.state = 'done';
    this.sink.onEnd(last);
  }
}

/** Says at once what cannot become a head any more: nobody should wait for the rest of it until the deadline. */
function impossibleHead(soFar: Buffer, looked: number): AnswerFault | null {
  if (soFar.length > HEAD_BYTES_MAX + HEAD_END.length) return 'head-too-long';
  for (let i = soFar.indexOf(LF, looked); i !== -1; i = soFar.indexOf(LF, i + 1))
    if (i === 0 || soFar[i - 1] !== CR) return 'malformed-head';
  if (looked >= HEAD_BEGINNING.length) return null;
  return HEAD_BEGINNING.startsWith(soFar.toString('latin1', 0, HEAD_BEGINNING.length)) ? null : 'malformed-head';
}
