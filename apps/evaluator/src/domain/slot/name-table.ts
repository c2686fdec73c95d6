/** A power of two: enough for thousands of models at once. */
const PLACES = 8192;

interface Entry {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Texts that come again and again, found by their bytes: no string is made for one that is known. Bounded: when both
 * places that a text may have are taken, it takes one of them over.
 */
export class NameTable {
  private readonly entries = new Array<Entry | undefined>(PLACES).fill(undefined);

  /** The text of the ASCII bytes from..to. `hash`: any function of these bytes alone. */
  textOf(bytes: Buffer, from: number, to: number, hash: number): string {
    const { entries } = this;
    const first = (hash ^ (hash >>> 13)) & (PLACES - 1);
    const found = entries[first];
    if (found !== undefined && isAt(found.bytes, bytes, from, to)) return found.text;
    const second = first ^ 1;
    const other = entries[second];
    if (other !== undefined && isAt(other.bytes, bytes, from, to)) return other.text;
    const text = internalized(bytes.toString('latin1', from, to));
    const entry = { bytes: Uint8Array.from(bytes.subarray(from, to)), text };
    entries[found !== undefined && other === undefined ? second : first] = entry;
    return text;
  }
}

function isAt(expected: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (expected.length !== to - from) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
  return true;
}

/** The same text, as V8 has the names of properties: two of them are compared by their addresses, and hashed already. */
function internalized(text: string): string {
  return Object.keys({ [text]: true })[0]!;
}
