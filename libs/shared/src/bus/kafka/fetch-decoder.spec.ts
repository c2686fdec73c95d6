import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';
import type { OutRecord } from '../message-bus.js';
import { DECOMPRESSED_BYTES_MAX } from './compression.js';
import { decodeRecordSet, type FetchedRecord, forKafkajs } from './fetch-decoder.js';
import { BATCH_HEAD_BYTES, encodeRecordBatch } from './record-batch.js';

const origin = { producerId: 7n, producerEpoch: 0, sequence: 0 };
const TIME_MS = 1_795_000_000_123;
const record = (value: string): OutRecord => ({ topic: 't', partition: 0, key: `k${value}`, value });
const numbered = (count: number): OutRecord[] => Array.from({ length: count }, (_, n) => record(String(n)));

/** A batch as it lies on a broker's disk, from an offset on. */
function stored(records: readonly OutRecord[], firstOffset = 0, change?: (batch: Buffer) => Buffer | void): Buffer {
  let batch = encodeRecordBatch(records, TIME_MS, origin);
  batch = change?.(batch) ?? batch;
  batch.writeBigInt64BE(BigInt(firstOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

const compressed =
  (codec: number, compress: (bytes: Buffer) => Buffer) =>
  (batch: Buffer): Buffer => {
    const head = Buffer.from(batch.subarray(0, BATCH_HEAD_BYTES));
    head.writeInt16BE(codec, 21);
    return Buffer.concat([head, compress(batch.subarray(BATCH_HEAD_BYTES))]);
  };

/** In blocks of 32 kB, as Java does it. */
function javaSnappy(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex')];
  for (let at = 0; at < bytes.length; at += 32_768) {
    const block = compressSync(bytes.subarray(at, at + 32_768));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

const decode = (...batches: Buffer[]) => decodeRecordSet(Buffer.concat(batches), { bytes: DECOMPRESSED_BYTES_MAX });
const values = (records: readonly { readonly value: Buffer | null }[]): string[] => records.map((r) => String(r.value));

describe('what was fetched', () => {
  it('is read as it was written, with its offsets and times', async () => {
    const headers = { ce_id: 'größer', empty: '' };
    const records = await decode(stored([...numbered(3), { ...record('x'), key: null, headers }], 1000));
    expect(values(records)).toEqual(['0', '1', '2', 'x']);
    expect(records.map((r) => r.offset)).toEqual([1000, 1001, 1002, 1003]);
    expect(records[3]).toMatchObject({ key: null, headers, timestampMs: TIME_MS, isControlRecord: false });
    expect('headers' in records[0]!).toBe(false);
  });

  it('gives kafkajs what lies at an offset and behind it, and asks no more than it has to', async () => {
    const Batch = createRequire(import.meta.url)('kafkajs/src/consumer/batch') as new (...of: unknown[]) => {
      readonly messages: readonly FetchedRecord[];
    };
    const messages = forKafkajs(await decode(stored(numbered(4), 1000), stored(numbered(4), 1010)));
    const from = (offset: number): readonly number[] => {
      const batch = new Batch('t', String(offset), { abortedTransactions: [], messages });
      expect(batch.messages.filter((record) => record.offset === 1013)).toHaveLength(offset > 1013 ? 0 : 1);
      return batch.messages.map((record) => record.offset);
    };
    expect(from(0)).toEqual([1000, 1001, 1002, 1003, 1010, 1011, 1012, 1013]);
    expect(from(1002)).toEqual([1002, 1003, 1010, 1011, 1012, 1013]);
    expect(from(1005)).toEqual([1010, 1011, 1012, 1013]);
    expect(from(1014)).toEqual([]);
    let asked = 0;
    messages.filter(({ offset }) => ++asked > 0 && offset >= 1002);
    expect(asked).toBe(3);
  });

  it("has the log's time where the topic says so", async () => {
    const records = await decode(
      stored(numbered(2), 0, (batch) => {
        batch.writeInt16BE(0x08, 21);
        batch.writeBigInt64BE(BigInt(TIME_MS + 500), 35);
      }),
    );
    expect(records.map((r) => r.timestampMs)).toEqual([TIME_MS + 500, TIME_MS + 500]);
  });

  it.each([
    ['gzip', 1, gzipSync],
    ['snappy, as Java writes it', 2, javaSnappy],
    ['snappy, plain', 2, compressSync as (bytes: Buffer) => Buffer],
    ['lz4', 3, (bytes: Buffer) => compressFrameSync(bytes)],
    ['zstd', 4, zstdCompressSync],
  ])('is decompressed: %s', async (_name, codec, compress) => {
    const records = await decode(stored(numbered(20_000), 5, compressed(codec, compress)), stored(numbered(1), 20_005));
    expect(records).toHaveLength(20_001);
    expect(values(records.slice(19_999))).toEqual(['19999', '0']);
    expect(records.unreadable).toBeUndefined();
  });

  it('may be a batch of 200,000 records', async () => {
    const records = await decode(stored(numbered(200_000), 0, compressed(1, gzipSync)));
    expect(records).toHaveLength(200_000);
    expect(records.at(-1)!.offset).toBe(199_999);
  });

  it('may be cut off at its end, which is left for the next fetch', async () => {
    const [first, second] = [stored(numbered(3)), stored(numbered(3), 3)];
    for (const cut of [1, 20, 70]) expect(await decode(first, second.subarray(0, second.length - cut))).toHaveLength(3);
    expect(await decode(first, second.subarray(0, 20))).toHaveLength(3);
    expect(await decode()).toEqual([]);
  });

  it('goes on behind records that compaction has taken', async () => {
    const batch = stored(numbered(3), 10, (b) => void b.writeInt32BE(9, 23));
    const records = await decode(batch);
    expect(records.map((r) => [r.offset, r.isControlRecord])).toEqual([
      [10, false],
      [11, false],
      [12, false],
      [19, true],
    ]);
    const emptied = stored([], 20, (b) => void b.writeInt32BE(4, 23));
    expect((await decode(emptied)).map((r) => [r.offset, r.isControlRecord])).toEqual([[24, true]]);
  });
});

describe('a batch that cannot be read', () => {
  const after = stored(numbered(2), 110);

  it.each<[string, RegExp, Buffer]>([
    [
      'of another codec',
      /codec 7/,
      stored(
        numbered(10),
        100,
        compressed(7, (bytes) => bytes),
      ),
    ],
    [
      'that is not what its codec says',
      /./,
      stored(
        numbered(10),
        100,
        compressed(4, (bytes) => bytes),
      ),
    ],
    ['of an old format', /format 1/, stored(numbered(10), 100, (batch) => void (batch[16] = 1))],
    ['with less in it than it says', /cut off|early/, stored(numbered(10), 100, (batch) => batch.subarray(0, 80))],
    ['with nonsense in it', /./, stored(numbered(10), 100, (batch) => void batch.fill(0x55, BATCH_HEAD_BYTES))],
  ])('%s costs itself and nothing else, and it is said which offsets it had', async (_name, cause, batch) => {
    const records = await decode(stored(numbered(1), 99), batch, after);
    expect(records.filter((r) => !r.isControlRecord).map((r) => r.offset)).toEqual([99, 110, 111]);
    expect(records.map((r) => r.offset)).toContain(109);
    expect(records.unreadable).toEqual([
      { firstOffset: 100, lastOffset: 109, cause: expect.stringMatching(cause) as unknown },
    ]);
  });

  it('is one whose bytes changed on the way', async () => {
    const batch = stored(numbered(10), 100);
    batch[70]! ^= 1;
    expect((await decode(batch, after)).unreadable).toMatchObject([{ firstOffset: 100, cause: /checksum/ }]);
  });

  it.each([
    ['gzip', 1, (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', 4, (bytes: Buffer) => zstdCompressSync(bytes)],
    ['snappy', 2, (bytes: Buffer) => compressSync(bytes)],
    ['lz4', 3, (bytes: Buffer) => compressFrameSync(bytes)],
  ])('is one that would take all memory: %s', async (_name, codec, compress) => {
    const bomb = stored(
      numbered(1),
      100,
      compressed(codec, () => compress(Buffer.alloc(DECOMPRESSED_BYTES_MAX + 1e6))),
    );
    expect(bomb.length).toBeLessThan(5_000_000);
    expect((await decode(bomb, after)).unreadable).toHaveLength(1);
  });

  it('is not what is left for the next fetch because there is too much already', async () => {
    const big = (offset: number) =>
      stored([{ ...record('x'), value: Buffer.alloc(1_000_000) }], offset, compressed(1, gzipSync));
    const records = await decodeRecordSet(Buffer.concat([big(0), big(1), big(2), big(3)]), { bytes: 1_500_000 });
    expect(records.map((r) => r.offset)).toEqual([0, 1]);
    expect(records.unreadable).toBeUndefined();
  });
});
