import { crc32c } from '@node-rs/crc32';
import type { OutRecord } from '../message-bus.js';

/** Who wrote a batch, and which of its records of this partition these are: by it a broker knows one that comes twice. */
export interface BatchOrigin {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Number of the first record. */
  readonly sequence: number;
}

/**
 * Head of a record batch, version 2, big endian: base offset i64 | length i32 of what follows | leader epoch i32 |
 * magic i8 | CRC-32C u32 of what follows | attributes i16 | last offset delta i32 | first and largest timestamp i64 |
 * producer id i64 | producer epoch i16 | first sequence i32 | count i32.
 */
export const BATCH_HEAD_BYTES = 61;
const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const MAGIC = 2;
/** What a producer does not know. */
const UNKNOWN = -1;
/** Attributes i8, timestamp delta of one byte. */
const RECORD_FIXED_BYTES = 2;
const SEQUENCES = 0x8000_0000;

/** The sequence that follows after `count` records: it begins again at 0 after 2^31 - 1. */
export const followingSequence = (sequence: number, count: number): number => (sequence + count) % SEQUENCES;

/** The records of one partition as they go to a broker and stay on its disk: not compressed, all of the same time. */
export function encodeRecordBatch(records: readonly OutRecord[], timestampMs: number, origin: BatchOrigin): Buffer {
  const bodies = new Array<number>(records.length);
  let length = BATCH_HEAD_BYTES;
  for (let i = 0; i < records.length; i++) {
    const body = bodyBytes(records[i]!, i);
    bodies[i] = body;
    length += varintBytes(body) + body;
  }
  const batch = Buffer.allocUnsafe(length);
  writeHead(batch, records.length, timestampMs, origin);
  let at = BATCH_HEAD_BYTES;
  for (let i = 0; i < records.length; i++) at = writeRecord(batch, at, records[i]!, i, bodies[i]!);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
  return batch;
}

function writeHead(batch: Buffer, count: number, timestampMs: number, origin: BatchOrigin): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT);
  batch.writeInt32BE(UNKNOWN, LEADER_EPOCH_AT);
  batch[MAGIC_AT] = MAGIC;
  batch.writeInt16BE(0, ATTRIBUTES_AT);
  batch.writeInt32BE(count - 1, 23);
  const timestamp = BigInt(timestampMs);
  batch.writeBigInt64BE(timestamp, 27);
  batch.writeBigInt64BE(timestamp, 35);
  batch.writeBigInt64BE(origin.producerId, 43);
  batch.writeInt16BE(origin.producerEpoch, 51);
  batch.writeInt32BE(origin.sequence, 53);
  batch.writeInt32BE(count, 57);
}

function bodyBytes({ key, value, headers }: OutRecord, offsetDelta: number): number {
  let bytes = RECORD_FIXED_BYTES + varintBytes(offsetDelta) + contentBytes(key) + contentBytes(value);
  if (!headers) return bytes + 1;
  const entries = Object.entries(headers);
  bytes += varintBytes(entries.length);
  for (const [name, text] of entries) bytes += contentBytes(name) + contentBytes(text);
  return bytes;
}

function writeRecord(batch: Buffer, start: number, record: OutRecord, offsetDelta: number, bytes: number): number {
  let at = writeVarint(batch, start, bytes);
  batch[at++] = 0;
  batch[at++] = 0;
  at = writeVarint(batch, at, offsetDelta);
  at = writeContent(batch, at, record.key);
  at = writeContent(batch, at, record.value);
  if (!record.headers) {
    batch[at++] = 0;
    return at;
  }
  const entries = Object.entries(record.headers);
  at = writeVarint(batch, at, entries.length);
  for (const [name, text] of entries) at = writeContent(batch, writeContent(batch, at, name), text);
  return at;
}

function contentBytes(content: Buffer | string | null): number {
  if (content === null) return 1;
  const bytes = typeof content === 'string' ? Buffer.byteLength(content) : content.length;
  return varintBytes(bytes) + bytes;
}

function writeContent(batch: Buffer, at: number, content: Buffer | string | null): number {
  if (content === null) return writeVarint(batch, at, UNKNOWN);
  if (typeof content !== 'string') {
    const start = writeVarint(batch, at, content.length);
    return start + content.copy(batch, start);
  }
  const bytes = Buffer.byteLength(content);
  const start = writeVarint(batch, at, bytes);
  // As many bytes as characters: all of them ASCII, which is written faster.
  return start + batch.write(content, start, bytes, bytes === content.length ? 'latin1' : 'utf8');
}

/** Zigzag: small numbers of either sign are short. */
function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

function writeVarint(batch: Buffer, start: number, value: number): number {
  let at = start;
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  while (zigzag >= 0x80) {
    batch[at++] = (zigzag & 0x7f) | 0x80;
    zigzag >>>= 7;
  }
  batch[at++] = zigzag;
  return at;
}
