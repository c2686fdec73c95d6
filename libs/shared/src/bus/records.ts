import { CanaryError } from '../errors.js';
import type { OutRecord } from './message-bus.js';

/** A record and its framing may have this many bytes: Kafka's default max.message.bytes less the batch header. */
export const RECORD_BYTES_MAX = 1_000_000;

/** Upper bound of a record's size on the wire without compression: key, value, headers and framing. */
export function recordBytes(record: OutRecord): number {
  let bytes = 40 + byteLength(record.value) + byteLength(record.key);
  if (!record.headers) return bytes;
  for (const [name, value] of Object.entries(record.headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 10;
  }
  return bytes;
}

const byteLength = (content: Buffer | string | null): number =>
  typeof content === 'string' ? Buffer.byteLength(content) : (content?.length ?? 0);

/** What no broker would ever take is refused before it can block a lane. Throws CanaryError. */
export function checkRecord(record: OutRecord, bytes: number): void {
  if (record.partition === undefined && record.key === null) {
    throw new CanaryError('record-without-partition', `a record for ${record.topic} has neither a partition nor a key`);
  }
  if (bytes > RECORD_BYTES_MAX) {
    throw new CanaryError(
      'record-too-large',
      `a record for ${record.topic} has ${bytes} bytes; at most ${RECORD_BYTES_MAX} fit`,
    );
  }
}
