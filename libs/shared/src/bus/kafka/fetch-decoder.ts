import { crc32c } from '@node-rs/crc32';
import type { BusRecord, UnreadableRecords } from '../message-bus.js';
import { decompress, DECOMPRESSED_BYTES_MAX } from './compression.js';

/** What kafkajs needs to know of a record's batch: who wrote it, and whether in a transaction. */
interface BatchContext {
  readonly producerId: string;
  readonly inTransaction: boolean;
}

/** A record as kafkajs hands it through to us. */
export interface FetchedRecord extends BusRecord {
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
}

/** What was read of a partition. The batches that could not be read have a stand-in each among the records. */
export type FetchedRecords = readonly FetchedRecord[] & { readonly unreadable?: readonly UnreadableRecords[] };

interface FetchedPartitionData {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly lastStartOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly preferredReadReplica: number;
  readonly messages: FetchedRecords;
}

/** kafkajs's decoded response of Fetch, version 11. */
export interface DecodedFetch {
  readonly throttleTime: number;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: readonly { readonly topicName: string; readonly partitions: readonly FetchedPartitionData[] }[];
}

const BATCH_HEAD_BYTES = 61;
/** Base offset i64, length i32. */
const BATCH_FRAME_BYTES = 12;
const MAGIC = 2;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/**
 * Reads a Fetch response. Unlike kafkajs it checks checksums, reads every codec of Kafka's, makes one object a record
 * instead of a dozen, takes batches of any number of records, and lets a batch that cannot be read cost nothing but
 * itself. What is decompressed beyond a bound is left for the next fetch.
 */
export async function decodeFetch(payload: Buffer): Promise<DecodedFetch> {
  const reader = new Reader(payload);
  const budget = { bytes: DECOMPRESSED_BYTES_MAX };
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const responses: DecodedFetch['responses'][number][] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topicName = reader.text();
    const partitions: FetchedPartitionData[] = [];
    for (let left = reader.int32(); left > 0; left--) partitions.push(await decodePartition(reader, budget));
    responses.push({ topicName, partitions });
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

interface Budget {
  bytes: number;
}

async function decodePartition(reader: Reader, budget: Budget): Promise<FetchedPartitionData> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const [highWatermark, lastStableOffset, lastStartOffset] = [reader.long(), reader.long(), reader.long()];
  const abortedTransactions: { producerId: string; firstOffset: string }[] = [];
  for (let left = reader.int32(); left > 0; left--)
    abortedTransactions.push({ producerId: String(reader.long()), firstOffset: String(reader.long()) });
  const preferredReadReplica = reader.int32();
  const messages = forKafkajs(await decodeRecordSet(reader.bytes(), budget));
  return {
    partition,
    errorCode,
    highWatermark: String(highWatermark),
    lastStableOffset: String(lastStableOffset),
    lastStartOffset: String(lastStartOffset),
    abortedTransactions,
    preferredReadReplica,
    messages,
  };
}

/**
 * kafkajs asks a set for its records from an offset on, and makes two objects of each of them for that; but offsets rise,
 * and the first that fits says it all. What it is given has an array's own filter again.
 */
export function forKafkajs(records: FetchedRecords): FetchedRecords {
  return Object.defineProperty(records, 'filter', {
    value(this: FetchedRecords, fits: (record: FetchedRecord) => boolean): readonly FetchedRecord[] {
      const first = this.findIndex((record) => fits(record));
      return first < 0 ? [] : this.slice(first);
    },
  });
}

/** The batches of one partition; the last one may be cut off. */
export async function decodeRecordSet(bytes: Buffer, budget: Budget): Promise<FetchedRecords> {
  const records: FetchedRecord[] = [];
  const unreadable: UnreadableRecords[] = [];
  let at = 0;
  while (at + BATCH_HEAD_BYTES <= bytes.length) {
    const end = at + BATCH_FRAME_BYTES + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + BATCH_HEAD_BYTES) break;
    // At least one batch, or nothing would ever be read.
    if (budget.bytes <= 0 && records.length > 0) break;
    const problem = await decodeBatch(bytes.subarray(at, end), records, budget);
    if (problem) unreadable.push(problem);
    at = end;
  }
  return unreadable.length > 0 ? Object.assign(records, { unreadable }) : records;
}

async function decodeBatch(batch: Buffer, into: FetchedRecord[], budget: Budget): Promise<UnreadableRecords | null> {
  const firstOffset = Number(batch.readBigInt64BE(0));
  const lastOffset = firstOffset + batch.readInt32BE(23);
  const before = into.length;
  let problem: UnreadableRecords | null = null;
  try {
    await readBatch(batch, firstOffset, into, budget);
  } catch (error) {
    into.length = before;
    problem = { firstOffset, lastOffset, cause: (error as Error).message };
  }
  // Compaction, too, may have taken the last of them, or all: whoever reads on from the last one gets this batch again.
  if (into.length === before || into.at(-1)!.offset < lastOffset) into.push(standIn(lastOffset));
  return problem;
}

async function readBatch(batch: Buffer, firstOffset: number, into: FetchedRecord[], budget: Budget): Promise<void> {
  if (batch[16] !== MAGIC) throw new Error(`record format ${batch[16]} is not read, only ${MAGIC}`);
  if (crc32c(batch.subarray(21)) !== batch.readUInt32BE(17)) throw new Error('its checksum is wrong');
  const attributes = batch.readInt16BE(21);
  const count = batch.readInt32BE(57);
  const codec = attributes & CODEC_MASK;
  const body = batch.subarray(BATCH_HEAD_BYTES);
  const records = codec === 0 ? body : await decompress(codec, body);
  if (codec !== 0) budget.bytes -= records.length;
  const common: BatchCommon = {
    bytes: records,
    isControl: (attributes & CONTROL) !== 0,
    context: {
      producerId: String(batch.readBigInt64BE(43)),
      inTransaction: (attributes & TRANSACTIONAL) !== 0,
    },
  };
  const appendTimeMs = attributes & LOG_APPEND_TIME ? Number(batch.readBigInt64BE(35)) : null;
  const firstTimestampMs = Number(batch.readBigInt64BE(27));
  const reader = new Reader(records);
  for (let i = 0; i < count; i++) {
    const end = reader.varint() + reader.at;
    reader.at += 1; // attributes, of which there are none
    const timestampMs = firstTimestampMs + reader.varlong();
    const offset = firstOffset + reader.varint();
    const keyAt = reader.at;
    reader.skipContent();
    reader.skipContent();
    const headers = reader.headers();
    if (reader.at !== end) throw new Error('a record is longer or shorter than it says');
    const record = new ReadRecord(offset, appendTimeMs ?? timestampMs, common, keyAt);
    into.push(headers === null ? record : Object.assign(record, { headers }));
  }
}

/** What the records of a batch have in common. */
interface BatchCommon {
  readonly bytes: Buffer;
  readonly isControl: boolean;
  readonly context: BatchContext;
}

/**
 * A record where it lies in its batch. Buffers of key and value are made when they are asked for: with thousands of
 * records in a fetch, those made at once would live until the last of them is looked at, and cost the collector that much.
 */
class ReadRecord implements FetchedRecord {
  constructor(
    readonly offset: number,
    readonly timestampMs: number,
    private readonly batch: BatchCommon,
    /** Where its key begins, and then its value: each its length and its bytes. */
    private readonly keyAt: number,
  ) {}

  get isControlRecord(): boolean {
    return this.batch.isControl;
  }

  get batchContext(): BatchContext {
    return this.batch.context;
  }

  get key(): Buffer | null {
    return new Reader(this.batch.bytes, this.keyAt).content();
  }

  get value(): Buffer | null {
    const reader = new Reader(this.batch.bytes, this.keyAt);
    reader.skipContent();
    return reader.content();
  }
}

/** kafkajs hands no control records out, but goes on behind them. */
const standIn = (offset: number): FetchedRecord => ({
  offset,
  timestampMs: 0,
  key: null,
  value: null,
  isControlRecord: true,
  batchContext: { producerId: '-1', inTransaction: false },
});

/** Reads on in a buffer. Throws RangeError at its end. */
class Reader {
  constructor(
    private readonly buffer: Buffer,
    public at = 0,
  ) {}

  int16(): number {
    return this.buffer.readInt16BE((this.at += 2) - 2);
  }

  int32(): number {
    return this.buffer.readInt32BE((this.at += 4) - 4);
  }

  long(): bigint {
    return this.buffer.readBigInt64BE((this.at += 8) - 8);
  }

  text(): string {
    return this.slice(this.int16()).toString('utf8');
  }

  bytes(): Buffer {
    return this.slice(Math.max(0, this.int32()));
  }

  /** Zigzag, of at most 32 bits. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    throw new RangeError('a number is cut off');
  }

  /** Zigzag, of at most 53 bits. */
  varlong(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = this.buffer[this.at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError('a number is cut off');
  }

  /** A key or a value. */
  content(): Buffer | null {
    const length = this.varint();
    return length < 0 ? null : this.slice(length);
  }

  skipContent(): void {
    const length = this.varint();
    if (length > 0) this.skip(length);
  }

  /** null: there are none. The last of those with one name counts. */
  headers(): Record<string, string> | null {
    let count = this.varint();
    if (count === 0) return null;
    const headers: Record<string, string> = {};
    for (; count > 0; count--) {
      const name = this.content()?.toString('utf8') ?? '';
      headers[name] = this.content()?.toString('utf8') ?? '';
    }
    return headers;
  }

  private slice(length: number): Buffer {
    const from = this.at;
    this.skip(length);
    return this.buffer.subarray(from, this.at);
  }

  private skip(length: number): void {
    this.at += length;
    if (this.at > this.buffer.length) throw new RangeError('it ends too early');
  }
}
