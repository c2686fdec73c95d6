/** A power of two: enough for thousands of models at once. */
const PLACES = 8192;
/** Bytes of all texts together; beyond, the table begins anew. */
const ARENA_BYTES_MAX = 1024 * 1024;
const ARENA_BYTES_MIN = 16 * 1024;
/** A text's hash and length stand before its bytes. */
const HEAD_BYTES = 8;
const NONE = -1;

/**
 * Texts that come again and again, found by their bytes: no string is made for one that is known. Bounded: when both
 * places that a text may have are taken, it takes one of them over. The bytes of all lie together, because with thousands
 * of texts each object on the way to them is memory that is not in the cache.
 */
export class NameTable {
  private readonly texts = new Array<string>(PLACES).fill('');
  /** Where each place's text begins in the arena. */
  private readonly starts = new Int32Array(PLACES).fill(NONE);
  private arena = new DataView(new ArrayBuffer(ARENA_BYTES_MIN));
  private used = 0;

  /** The text of these ASCII bytes. */
  textOf(view: DataView, from: number, length: number): string {
    const hash = hashOf(view, from, length);
    const first = (hash ^ (hash >>> 13)) & (PLACES - 1);
    if (this.isAt(first, hash, view, from, length)) return this.texts[first]!;
    const second = first ^ 1;
    if (this.isAt(second, hash, view, from, length)) return this.texts[second]!;
    return this.add(this.starts[first] === NONE ? first : second, hash, view, from, length);
  }

  private isAt(place: number, hash: number, view: DataView, from: number, length: number): boolean {
    const { arena } = this;
    const start = this.starts[place]!;
    if (start === NONE || arena.getInt32(start) !== hash || arena.getInt32(start + 4) !== length) return false;
    return areEqual(arena, start + HEAD_BYTES, view, from, length);
  }

  private add(place: number, hash: number, view: DataView, from: number, length: number): string {
    const bytes = Buffer.from(view.buffer, view.byteOffset + from, length);
    const text = internalized(bytes.toString('latin1'));
    const start = this.reserve(HEAD_BYTES + length);
    this.arena.setInt32(start, hash);
    this.arena.setInt32(start + 4, length);
    new Uint8Array(this.arena.buffer).set(bytes, start + HEAD_BYTES);
    this.texts[place] = text;
    this.starts[place] = start;
    return text;
  }

  private reserve(length: number): number {
    if (this.used + length > ARENA_BYTES_MAX) {
      this.starts.fill(NONE);
      this.used = 0;
    }
    if (this.used + length > this.arena.byteLength) {
      const grown = new Uint8Array(Math.max(this.arena.byteLength * 2, this.used + length));
      grown.set(new Uint8Array(this.arena.buffer));
      this.arena = new DataView(grown.buffer);
    }
    const start = this.used;
    this.used += length;
    return start;
  }
}

/** Of the bytes alone, four at a time. */
function hashOf(view: DataView, from: number, length: number): number {
  const end = from + length;
  let hash = length;
  let at = from;
  for (; at + 4 <= end; at += 4) hash = mixed(hash, view.getInt32(at, true));
  for (; at < end; at++) hash = mixed(hash, view.getUint8(at));
  return hash;
}

/** A step of FNV-1a, with a word in place of a byte and the high bits folded in. http://www.isthe.com/chongo/tech/comp/fnv */
function mixed(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 16_777_619);
  return product ^ (product >>> 15);
}

function areEqual(a: DataView, aFrom: number, b: DataView, bFrom: number, length: number): boolean {
  let at = 0;
  for (; at + 4 <= length; at += 4) if (a.getInt32(aFrom + at) !== b.getInt32(bFrom + at)) return false;
  for (; at < length; at++) if (a.getUint8(aFrom + at) !== b.getUint8(bFrom + at)) return false;
  return true;
}

/** The same text, as V8 has the names of properties: two of them are compared by their addresses, and hashed already. */
function internalized(text: string): string {
  return Object.keys({ [text]: true })[0]!;
}
