import { PackReader, type PackWriter } from '@app/shared';
import { OpenBucket } from './open-bucket.js';

/** What one router has written to this partition. */
export interface Lane {
  readonly router: string;
  /** Last one taken in. */
  sequence: number;
  /** Log time of it. */
  seenAtMs: number;
  /** Differs from the stored field. */
  changed: boolean;
  /** The store has a field of it. */
  stored: boolean;
  readonly buckets: Map<number, OpenBucket>;
}

/** Fields of an outcome slot's image: `l|<router>` for a lane, `b|<router>|<bucket>` for a bucket. */
const FIELD = { lane: 'l|', bucket: 'b|' } as const;

export const laneField = (router: string): string => FIELD.lane + router;
export const bucketField = (bucket: OpenBucket): string => `${FIELD.bucket}${bucket.router}|${bucket.bucket}`;

export const newLane = (router: string, sequence: number, seenAtMs: number): Lane => ({
  router,
  sequence,
  seenAtMs,
  changed: false,
  stored: false,
  buckets: new Map(),
});

export const packLane = (lane: Lane, writer: PackWriter): Buffer =>
  writer.uint(lane.sequence).uintOrNone(lane.seenAtMs).take();

/** Lanes with their buckets, and those of the buckets that may still count, in the order of their first records. */
export function unpackFields(fields: ReadonlyMap<string, Buffer>): {
  lanes: Map<string, Lane>;
  open: Set<OpenBucket>;
} {
  const lanes = new Map<string, Lane>();
  for (const [field, packed] of fields) {
    if (!field.startsWith(FIELD.lane)) continue;
    const reader = new PackReader(packed);
    const router = field.slice(FIELD.lane.length);
    const lane = newLane(router, reader.uint(), reader.uintOrNone());
    lane.stored = true;
    lanes.set(router, lane);
  }
  const open: OpenBucket[] = [];
  for (const [field, packed] of fields) {
    if (!field.startsWith(FIELD.bucket)) continue;
    const end = field.lastIndexOf('|');
    const bucket = OpenBucket.unpack(field.slice(FIELD.bucket.length, end), Number(field.slice(end + 1)), packed);
    lanes.get(bucket.router)?.buckets.set(bucket.bucket, bucket);
    if (!bucket.leftOut) open.push(bucket);
  }
  // A bucket's first record is its own, so offsets differ.
  return { lanes, open: new Set(open.sort((a, b) => a.firstOffset - b.firstOffset)) };
}
