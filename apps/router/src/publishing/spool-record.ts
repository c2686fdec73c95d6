import { crc32 } from 'node:zlib';

/** One outcome or bucket record as it stands in the spool. */
export interface SpoolRecord {
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer;
  /** Tally.number of the process that wrote it; null for bucket records. */
  readonly tally: number | null;
  /** The bucket an outcome belongs to, null for none; with `arm` it tells whose loss it would be. */
  readonly bucket: number | null;
  readonly arm: number;
}

/**
 * Layout, big endian: body length u32 | CRC-32 of the body u32 | body. Body: partition u16 | tally u16 | arm u8 |
 * bucket f64 | key length u8 | key | value. A tally of 65535 and a bucket of -1 mean none.
 */
const HEAD_BYTES = 8;
const FIXED_BYTES = 14;
const NO_TALLY = 0xffff;
/** Longer bodies are taken for damage. */
const BODY_BYTES_MAX = 128 * 1024;

/** Writes records one after the other. */
export function encodeSpoolRecords(records: readonly SpoolRecord[]): Buffer {
  let length = 0;
  for (const r of records) length += HEAD_BYTES + FIXED_BYTES + Buffer.byteLength(r.key) + r.value.length;
  const block = Buffer.allocUnsafe(length);
  let at = 0;
  for (const r of records) {
    const keyLength = Buffer.byteLength(r.key);
    const bodyLength = FIXED_BYTES + keyLength + r.value.length;
    const body = at + HEAD_BYTES;
    block.writeUInt16BE(r.partition, body);
    block.writeUInt16BE(r.tally ?? NO_TALLY, body + 2);
    block[body + 4] = r.arm;
    block.writeDoubleBE(r.bucket ?? -1, body + 5);
    block[body + 13] = keyLength;
    block.write(r.key, body + FIXED_BYTES);
    r.value.copy(block, body + FIXED_BYTES + keyLength);
    block.writeUInt32BE(bodyLength, at);
    block.writeUInt32BE(crc32(block.subarray(body, body + bodyLength)), at + 4);
    at = body + bodyLength;
  }
  return block;
}

export interface DecodedBlock {
  readonly records: readonly SpoolRecord[];
  /** Bytes of whole, sound records; what follows is damage, or a piece cut off by the end of the block. */
  readonly bytes: number;
}

/** Reads the whole records at the beginning of a block. Values are slices of it. */
export function decodeSpoolRecords(block: Buffer): DecodedBlock {
  const records: SpoolRecord[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= block.length) {
    const bodyLength = block.readUInt32BE(at);
    if (bodyLength < FIXED_BYTES || bodyLength > BODY_BYTES_MAX) return { records, bytes: at };
    const end = at + HEAD_BYTES + bodyLength;
    if (end > block.length) break;
    const body = block.subarray(at + HEAD_BYTES, end);
    const keyEnd = FIXED_BYTES + body[13]!;
    if (crc32(body) !== block.readUInt32BE(at + 4) || keyEnd > bodyLength) return { records, bytes: at };
    const tally = body.readUInt16BE(2);
    const bucket = body.readDoubleBE(5);
    records.push({
      partition: body.readUInt16BE(0),
      key: body.toString('utf8', FIXED_BYTES, keyEnd),
      value: body.subarray(keyEnd),
      tally: tally === NO_TALLY ? null : tally,
      bucket: bucket < 0 ? null : bucket,
      arm: body[4]!,
    });
    at = end;
  }
  return { records, bytes: at };
}
