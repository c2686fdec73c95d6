import xxhash from 'xxhash-wasm';

const { h32 } = await xxhash();

/** XXH32 of the UTF-8 bytes of a text; 0..2^32-1. Anybody can compute it anew: it is a published hash. */
export function xxh32(text: string, seed = 0): number {
  return h32(text, seed);
}
