import { NameTable } from './name-table.js';

const QUOTE = 34;
const POINT = 46;
const ZERO = 48;
/** The digits of a number up to here are exact in a double, and so is every power of ten that they are divided by. */
const DIGITS_MAX = 15;
/** As many digits fit in 32 bits, with which the machine computes fastest. */
const SMALL_DIGITS_MAX = 9;
const POWERS = Float64Array.from({ length: DIGITS_MAX + 1 }, (_, n) => 10 ** n);
/** 1 for bytes that stand for themselves in a JSON text: ASCII without controls, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 32 && byte < 128 && byte !== QUOTE && byte !== 92 ? 1 : 0,
);

/** 1 for bytes that numbers are made of. */
const IN_NUMBERS = Uint8Array.from({ length: 256 }, (_, byte) =>
  '+-.0123456789Ee'.includes(String.fromCharCode(byte)) ? 1 : 0,
);

/** Bytes that may be expected somewhere, four at a time: comparing words is several times faster than comparing bytes. */
export class ExpectedBytes {
  readonly length: number;
  readonly words: Int32Array;
  /** The last four bytes; they overlap the words. */
  readonly last: number;

  /** @param text of ASCII characters, four at least. */
  constructor(text: string) {
    const bytes = Buffer.from(text, 'latin1');
    this.length = bytes.length;
    this.words = Int32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readInt32LE(i * 4));
    this.last = bytes.readInt32LE(bytes.length - 4);
  }
}

/** What stands between values. */
export const COMMA = 44;
export const COLON = 58;
export const OPEN = 123;
export const CLOSE = 125;
export const TRUE = new ExpectedBytes('true');
export const FALSE = new ExpectedBytes('false');

/**
 * Reads JSON without blanks and escapes from bytes, token by token. A token that is not there, or not in its plainest
 * form, is told by a value that no token has, and the place stays; what is read, JSON.parse would read the same.
 */
export class JsonBytes {
  private readonly names = new NameTable();
  private buffer: ArrayBufferLike = new ArrayBuffer(0);
  private view = new DataView(this.buffer);
  private bytes: Buffer = Buffer.alloc(0);
  private base = 0;
  private end = 0;
  private at = 0;

  open(bytes: Buffer): void {
    // All records of a fetch lie in one of them.
    if (bytes.buffer !== this.buffer) {
      this.buffer = bytes.buffer;
      this.view = new DataView(bytes.buffer);
    }
    this.bytes = bytes;
    this.base = bytes.byteOffset;
    this.end = bytes.length;
    this.at = 0;
  }

  /** Where the next token is read; to come back to it. */
  get place(): number {
    return this.at;
  }

  set place(at: number) {
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at === this.end;
  }

  /** The next byte, which is passed; -1 at the end. */
  byte(): number {
    return this.at < this.end ? this.bytes[this.at++]! : -1;
  }

  /** Whether the next byte is a quote; it is not passed. */
  get isText(): boolean {
    return this.at < this.end && this.bytes[this.at] === QUOTE;
  }

  /** Passes these bytes if they come next. */
  skip(expected: ExpectedBytes): boolean {
    const { length, words, last } = expected;
    if (this.at + length > this.end) return false;
    const { view } = this;
    const from = this.base + this.at;
    // Beginnings and ends tell most keys apart.
    if (view.getInt32(from, true) !== words[0] || view.getInt32(from + length - 4, true) !== last) return false;
    for (let i = 1; i < words.length; i++) if (view.getInt32(from + i * 4, true) !== words[i]) return false;
    this.at += length;
    return true;
  }

  /** A whole number from 0 up; -1. */
  count(): number {
    const high = this.digits();
    if (high < POWERS[SMALL_DIGITS_MAX - 1]!) return high;
    const { bytes } = this;
    const from = this.at;
    const stop = Math.min(this.end, from + DIGITS_MAX - SMALL_DIGITS_MAX);
    let at = from;
    let low = 0;
    while (at < stop) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      low = (low * 10 + digit) | 0;
      at++;
    }
    this.at = at;
    return high * POWERS[at - from]! + low;
  }

  /** A number from 0 up, with or without a fraction; -1. Two exact numbers are divided, so it is rounded once. */
  decimal(): number {
    const start = this.at;
    const whole = this.count();
    if (whole < 0 || this.at >= this.end || this.bytes[this.at] !== POINT) return whole;
    const { bytes } = this;
    const from = this.at + 1;
    const stop = Math.min(this.end, start + DIGITS_MAX + 1);
    let at = from;
    let digits = whole;
    while (at < stop) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      digits = digits * 10 + digit;
      at++;
    }
    this.at = at === from ? start : at;
    return at === from ? -1 : digits / POWERS[at - from]!;
  }

  /** Any finite number; null. */
  number(): number | null {
    const from = this.at;
    const plain = this.decimal();
    const { bytes, end } = this;
    let at = this.at;
    if (plain >= 0 && !(at < end && IN_NUMBERS[bytes[at]!] === 1)) return plain;
    while (at < end && IN_NUMBERS[bytes[at]!] === 1) at++;
    const value = parsedNumber(bytes.toString('latin1', from, at));
    this.at = value === null ? from : at;
    return value;
  }

  /** Passes a text of at most so many characters. */
  passText(lengthMin: number, lengthMax: number): boolean {
    const from = this.at + 1;
    const to = this.textEnd();
    if (to < 0 || to - from < lengthMin || to - from > lengthMax) return false;
    this.at = to + 1;
    return true;
  }

  /** A text; null. */
  text(): string | null {
    const from = this.at + 1;
    const to = this.textEnd();
    if (to < 0) return null;
    this.at = to + 1;
    return this.bytes.toString('latin1', from, to);
  }

  /** Where the text ends that begins here; -1. */
  private textEnd(): number {
    if (!this.isText) return -1;
    const { bytes, view, base, end } = this;
    const from = this.at + 1;
    let at = from;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(base + at, true);
      // A byte of these has its highest bit set if it is not ASCII, a control, a quote, a backslash.
      const special =
        word | (word - 0x20202020) | ((word ^ 0x22222222) - 0x01010101) | ((word ^ 0x5c5c5c5c) - 0x01010101);
      if ((special & 0x80808080) !== 0) break;
    }
    while (at < end && PLAIN[bytes[at]!] === 1) at++;
    return at < end && bytes[at] === QUOTE ? at : -1;
  }

  /** A text that comes often; null. */
  name(): string | null {
    const from = this.at + 1;
    const to = this.textEnd();
    if (to < 0) return null;
    this.at = to + 1;
    return this.names.textOf(this.view, this.base + from, to - from);
  }

  /** Up to 9 digits, no zero before others; -1. */
  private digits(): number {
    const { bytes, end, at: from } = this;
    if (from >= end) return -1;
    let value = bytes[from]! - ZERO;
    if (value < 0 || value > 9) return -1;
    let at = from + 1;
    const stop = value === 0 ? at : Math.min(end, from + SMALL_DIGITS_MAX);
    while (at < stop) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = (value * 10 + digit) | 0;
      at++;
    }
    this.at = at;
    return value;
  }
}

function parsedNumber(text: string): number | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'number' && Number.isFinite(value) ? value : null;
  } catch {
    return null; // no number: the caller says what that means
  }
}
