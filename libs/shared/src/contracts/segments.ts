import { murmur2 } from '../bus/murmur2.js';

/**
 * Segments of a model's traffic, by a header of the request. A name falls by its hash into one of 63 segments, so that
 * every count by segment has a bounded size whatever clients write into the header, and an outcome's segment never
 * depends on what else came. Number 0: the request had no such header. The number fits into prediction ids, which
 * carry it to the labels.
 */
export const SEGMENTS = 64;
/** Longer header values are cut. */
export const SEGMENT_NAME_LENGTH_MAX = 64;

/** Number of the segment a name falls into: 1..63; 0 for no name. */
export function segmentOf(name: string): number {
  return name === '' ? 0 : 1 + ((murmur2(Buffer.from(name, 'utf8')) >>> 0) % (SEGMENTS - 1));
}
