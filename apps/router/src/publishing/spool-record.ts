import { crc32 } from 'node:zlib';
import type { OutRecord } from '@app/shared/core';

/** One outcome or bucket record as it stands in the spool. */
export interface SpoolRecord {
  readonly partition: number;
  readonly key: string;
  /** Text on its way in, bytes when it was read. */
  readonly value: Buffer | string;
  /** Tally.number of the process that wrote it; null for bucket records. */
  readonly tally: number | null;
  /** The bucket an outcome belongs to, null for none; with `arm` it tells whose loss it would be. */
  readonly bucket: number | null;
  readonly arm: number;
}

/**
 * A record that is on its way. A class, because V8 learns where literals are made whose objects outlive a collection, and
 * while Kafka is slow for a moment it learns that of these: from then on each goes into the old generation at once, and
 * keeps its text until the next full collection (50 MiB at 5,000 a second).
 */
export class PendingRecord implements SpoolRecord {
  constructor(
    readonly partition: number,
    readonly key: string,
    readonly value: string,
    readonly tally: number | null,
    readonly bucket: number | null,
    readonly arm: number,
  ) {}
}

/** The same as a producer takes it. */
export class SentRecord implements OutRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer | string;

  constructor(
    readonly topic: string,
    { partition, key, value }: SpoolRecord,
  ) {
    this.partition = partition;
    this.key = key;
    this.value = value;
  }
}

/**
 * Layout, big endian: body length u32 | CRC-32 of the body u32 | body. Body: ordinal u32 | partition u16 | tally u16 |
 * arm u8 | bucket f64 | key length u8 | key | value. A tally of 65535 and a bucket of -1 mean none. Ordinals rise by one
 * within a queue, so that a reader knows how many are missing where something is damaged.
 */
const HEAD_BYTES = 8;
const FIXED_BYTES = 18;
const NO_TALLY = 0xffff;
/** Longer bodies are taken for damage; a router holds no answer as long as that. */
const BODY_BYTES_MAX = 512 * 1024;
const ORDINALS = 0x1_0000_0000;

/** Size of a record on disk. */
export function spoolRecordBytes({ key, value }: SpoolRecord): number {
  return HEAD_BYTES + FIXED_BYTES + Buffer.byteLength(key) + byteLength(value);
}

/** Writes records one after the other, numbered from `ordinal` on. */
export function encodeSpoolRecords(records: readonly SpoolRecord[], ordinal: number): Buffer {
  let length = 0;
  for (const record of records) length += spoolRecordBytes(record);
  const block = Buffer.allocUnsafe(length);
  let at = 0;
  for (const r of records) {
    const body = at + HEAD_BYTES;
    block.writeUInt32BE(ordinal++ % ORDINALS, body);
    block.writeUInt16BE(r.partition, body + 4);
    block.writeUInt16BE(r.tally ?? NO_TALLY, body + 6);
    block[body + 8] = r.arm;
    block.writeDoubleBE(r.bucket ?? -1, body + 9);
    const keyBytes = block.write(r.key, body + FIXED_BYTES);
    block[body + 17] = keyBytes;
    const value = body + FIXED_BYTES + keyBytes;
    const end = value + (typeof r.value === 'string' ? block.write(r.value, value) : r.value.copy(block, value));
    block.writeUInt32BE(end - body, at);
    block.writeUInt32BE(crc32(block.subarray(body, end)), at + 4);
    at = end;
  }
  return block;
}

export interface DecodedRecords {
  /** Those that are sound. Values are slices of the block. */
  readonly records: readonly SpoolRecord[];
  readonly ordinals: readonly number[];
  /** Position in the block behind what was understood or passed over. */
  readonly end: number;
  /** Bytes passed over as damaged. */
  readonly damagedBytes: number;
}

/**
 * Reads at most `recordsMax` records of a block from `from` on. What is damaged is passed over: the next sound record is
 * looked for byte by byte. `last`: nothing comes after the block, so that a piece at its end is damage, too.
 */
export function decodeSpoolRecords(
  block: Buffer,
  options: { readonly from: number; readonly recordsMax: number; readonly last: boolean },
): DecodedRecords {
  const records: SpoolRecord[] = [];
  const ordinals: number[] = [];
  let [at, damagedBytes] = [options.from, 0];
  while (at < block.length && records.length < options.recordsMax) {
    const end = endOfRecord(block, at);
    if (end === 'cut-off' && !options.last) break;
    if (typeof end === 'number') {
      records.push(recordAt(block, at, end));
      ordinals.push(block.readUInt32BE(at + HEAD_BYTES));
      at = end;
    } else {
      damagedBytes++;
      at++;
    }
  }
  return { records, ordinals, end: at, damagedBytes };
}

/** How many ordinals lie between two that follow each other in the file. */
export const missingBetween = (before: number, after: number): number => (after - before - 1 + 2 * ORDINALS) % ORDINALS;

function endOfRecord(block: Buffer, at: number): number | 'cut-off' | 'damaged' {
  if (at + HEAD_BYTES > block.length) return 'cut-off';
  const bodyLength = block.readUInt32BE(at);
  if (bodyLength < FIXED_BYTES || bodyLength > BODY_BYTES_MAX) return 'damaged';
  const end = at + HEAD_BYTES + bodyLength;
  if (end > block.length) return 'cut-off';
  const body = block.subarray(at + HEAD_BYTES, end);
  if (FIXED_BYTES + body[17]! > bodyLength || crc32(body) !== block.readUInt32BE(at + 4)) return 'damaged';
  return end;
}

function recordAt(block: Buffer, at: number, end: number): SpoolRecord {
  const body = block.subarray(at + HEAD_BYTES, end);
  const keyEnd = FIXED_BYTES + body[17]!;
  const tally = body.readUInt16BE(6);
  const bucket = body.readDoubleBE(9);
  return {
    partition: body.readUInt16BE(4),
    key: body.toString('utf8', FIXED_BYTES, keyEnd),
    value: body.subarray(keyEnd),
    tally: tally === NO_TALLY ? null : tally,
    bucket: bucket < 0 ? null : bucket,
    arm: body[8]!,
  };
}

const byteLength = (value: Buffer | string): number =>
  typeof value === 'string' ? Buffer.byteLength(value) : value.length;
