import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';

/** A batch that would be larger than this is not read: the process that reads it must not be the one that pays. */
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

const inflateGzip = promisify(gunzip);
const inflateZstd = promisify(zstdDecompress);
/** Each is loaded when the first batch needs it: a megabyte of program, and an allocator that takes two more. */
/* eslint-disable no-restricted-syntax -- packages, which have no direction */
const snappy = (): Promise<typeof import('snappy')> => import('snappy');
const lz4 = (): Promise<typeof import('lz4-napi')> => import('lz4-napi');
/* eslint-enable no-restricted-syntax */
const LIMIT = { maxOutputLength: DECOMPRESSED_BYTES_MAX };

/** What the lowest three bits of a batch's attributes mean. */
const CODECS: readonly ((bytes: Buffer) => Promise<Buffer>)[] = [
  async (bytes) => bytes,
  (bytes) => inflateGzip(bytes, LIMIT),
  decompressSnappy,
  decompressLz4,
  (bytes) => inflateZstd(bytes, LIMIT),
];

/** Rejects for a codec that Kafka does not have, for what is not of that codec, and for what would be too large. */
export async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  const inflate = CODECS[codec];
  if (!inflate) throw new Error(`there is no compression codec ${codec}`);
  return inflate(bytes);
}

/** Java's blocks: this head, version i32, compatible version i32, then each block with its length i32. */
const JAVA_SNAPPY = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const JAVA_SNAPPY_HEAD_BYTES = 16;

async function decompressSnappy(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, JAVA_SNAPPY.length).equals(JAVA_SNAPPY)) return decompressSnappyBlock(bytes, 0);
  const parts: Buffer[] = [];
  let length = 0;
  for (let at = JAVA_SNAPPY_HEAD_BYTES; at < bytes.length;) {
    const end = at + 4 + bytes.readInt32BE(at);
    if (end > bytes.length) throw new Error('the last block is cut off');
    const part = await decompressSnappyBlock(bytes.subarray(at + 4, end), length);
    parts.push(part);
    length += part.length;
    at = end;
  }
  return Buffer.concat(parts);
}

async function decompressSnappyBlock(block: Buffer, before: number): Promise<Buffer> {
  // It begins with its length when decompressed, seven bits a byte, the lowest first.
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) break;
  }
  requireRoom(before + length);
  const { uncompress } = await snappy();
  return (await uncompress(block, { asBuffer: true })) as Buffer;
}

const LZ4_MAGIC = 0x184d2204;

async function decompressLz4(bytes: Buffer): Promise<Buffer> {
  requireRoom(largestLz4(bytes));
  const { decompressFrame } = await lz4();
  return decompressFrame(bytes);
}

/** How large an LZ4 frame can be at most, from the number of its blocks. Throws RangeError when it is cut off. */
function largestLz4(bytes: Buffer): number {
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('not an LZ4 frame');
  const flags = bytes[4]!;
  const blockBytesMax = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7));
  const checksumBytes = flags & 0x10 ? 4 : 0;
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let blocks = 0;
  for (let size = bytes.readUInt32LE(at); size !== 0; size = bytes.readUInt32LE(at)) {
    at += 4 + (size & 0x7fff_ffff) + checksumBytes;
    blocks++;
  }
  return blocks * blockBytesMax;
}

function requireRoom(bytes: number): void {
  if (bytes > DECOMPRESSED_BYTES_MAX)
    throw new RangeError(`it would have up to ${bytes} bytes, and at most ${DECOMPRESSED_BYTES_MAX} are read at once`);
}
