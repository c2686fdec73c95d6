import { isUtf8 } from 'node:buffer';
import { type Static, Type as T } from '@sinclair/typebox';
import type { BusRecord, TopicPartition } from '../bus/message-bus.js';
import type { Parsed } from '../result.js';
import { TOPICS } from './topics.js';
import { jsonCodec } from './validation.js';

/**
 * Records of topics as a file of JSON lines: first a header that says what the file holds, then the records, those of one
 * partition in the order of their offsets. The bytes of keys and values come back exactly.
 */
const offset = T.Integer({ minimum: 0 });

export const RecordsHeaderSchema = T.Object({
  kind: T.Literal('records'),
  schemaVersion: T.Literal(1),
  /** The model they were exported for. */
  model: T.String(),
  /** Names of the topics by role. */
  topics: T.Record(T.Union(TOPICS.map((role) => T.Literal(role))), T.String()),
  controlPartitions: T.Integer({ minimum: 1 }),
  /** What is in the file: from offset `low`, the first that was there, up to `end`. */
  partitions: T.Array(T.Object({ topic: T.String(), partition: offset, low: offset, end: offset })),
});
export type RecordsHeader = Static<typeof RecordsHeaderSchema>;
export const recordsHeaderCodec = jsonCodec(RecordsHeaderSchema);

/** Text as it is; bytes that are no UTF-8 in base64. */
const Bytes = T.Union([T.String(), T.Null(), T.Object({ base64: T.String() })]);

const RecordLineSchema = T.Object({
  topic: T.String(),
  partition: offset,
  offset,
  /** Log time, ms since the epoch. */
  timestamp: T.Integer(),
  key: Bytes,
  value: Bytes,
  headers: T.Optional(T.Record(T.String(), T.String())),
});
const recordLineCodec = jsonCodec(RecordLineSchema);

export function encodeRecordLine({ topic, partition }: TopicPartition, record: BusRecord): Buffer {
  return recordLineCodec.encode({
    topic,
    partition,
    offset: record.offset,
    timestamp: record.timestampMs,
    key: toText(record.key),
    value: toText(record.value),
    ...(record.headers ? { headers: { ...record.headers } } : {}),
  });
}

export function decodeRecordLine(line: string): Parsed<{ readonly at: TopicPartition; readonly record: BusRecord }> {
  const decoded = recordLineCodec.decode(Buffer.from(line));
  if (!decoded.ok) return decoded;
  const { topic, partition, offset: at, timestamp, key, value, headers } = decoded.value;
  const record = { offset: at, timestampMs: timestamp, key: toBytes(key), value: toBytes(value) };
  return { ok: true, value: { at: { topic, partition }, record: { ...record, ...(headers ? { headers } : {}) } } };
}

function toText(bytes: Buffer | null): Static<typeof Bytes> {
  if (bytes === null) return null;
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

function toBytes(text: Static<typeof Bytes>): Buffer | null {
  if (text === null) return null;
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.base64, 'base64');
}
