import { CanaryError } from './errors.js';

const TWO_32 = 2 ** 32;
/** Characters; their number fits in one byte. */
const SHORT_TEXT = 64;

/** Packs numbers and texts into as few bytes as is simple. One writer is used again and again; take() copies. */
export class PackWriter {
  private bytes = Buffer.alloc(4096);
  private length = 0;
  /** Names since the last take(), with their numbers from 1 on. */
  private readonly names = new Map<string, number>();

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, lowest first. */
  uint(value: number): this {
    this.reserve(8);
    const { bytes } = this;
    let rest = value;
    let at = this.length;
    while (rest >= TWO_32) {
      bytes[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    rest >>>= 0;
    while (rest > 127) {
      bytes[at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.length = at;
    return this;
  }

  /** Any whole number from -1 up. */
  uintOrNone(value: number): this {
    return this.uint(value + 1);
  }

  float(value: number): this {
    this.reserve(8);
    this.length = this.bytes.writeDoubleLE(value, this.length);
    return this;
  }

  text(value: string): this {
    // Names are short and ASCII, mostly: a call into the runtime would take longer than they do.
    if (value.length > SHORT_TEXT || !this.shortAscii(value)) this.anyText(value);
    return this;
  }

  /** A text that comes again and again: from the second time on it is a number. */
  name(value: string): this {
    const known = this.names.get(value);
    if (known !== undefined) return this.uint(known);
    this.names.set(value, this.names.size + 1);
    return this.uint(0).text(value);
  }

  block(value: Buffer): this {
    this.uint(value.length);
    this.reserve(value.length);
    this.length += value.copy(this.bytes, this.length);
    return this;
  }

  /** What was packed since the last take(). */
  take(): Buffer {
    const packed = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    if (this.names.size > 0) this.names.clear();
    return packed;
  }

  /** False, and nothing is written, if a character is not ASCII. */
  private shortAscii(value: string): boolean {
    this.reserve(1 + SHORT_TEXT);
    const { bytes } = this;
    const from = this.length + 1;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) return false;
      bytes[from + i] = code;
    }
    bytes[this.length] = value.length;
    this.length = from + value.length;
    return true;
  }

  private anyText(value: string): void {
    const byteLength = Buffer.byteLength(value);
    this.uint(byteLength);
    this.reserve(byteLength);
    this.length += this.bytes.write(value, this.length, 'utf8');
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = Buffer.alloc(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

/** Reads what a PackWriter wrote, in the same order. Throws CanaryError `corrupt-pack` when the bytes end too early. */
export class PackReader {
  private at = 0;
  private names: string[] | null = null;
  constructor(private readonly bytes: Buffer) {}

  uint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) throw corrupt();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  uintOrNone(): number {
    return this.uint() - 1;
  }

  float(): number {
    if (this.at + 8 > this.bytes.length) throw corrupt();
    const value = this.bytes.readDoubleLE(this.at);
    this.at += 8;
    return value;
  }

  text(): string {
    return this.slice().toString('utf8');
  }

  /** What name() wrote; all those before it have to be read. */
  name(): string {
    const number = this.uint();
    const names = (this.names ??= []);
    if (number === 0) names.push(this.text());
    const name = number === 0 ? names.at(-1) : names[number - 1];
    if (name === undefined) throw corrupt();
    return name;
  }

  block(): Buffer {
    return Buffer.from(this.slice());
  }

  done(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Bytes read so far. */
  get place(): number {
    return this.at;
  }

  /** Passes so many bytes. */
  skip(length: number): void {
    if (this.at + length > this.bytes.length) throw corrupt();
    this.at += length;
  }

  private slice(): Buffer {
    const length = this.uint();
    this.skip(length);
    return this.bytes.subarray(this.at - length, this.at);
  }
}

const corrupt = (): CanaryError => new CanaryError('corrupt-pack', 'a packed value ends too early');
