import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import type { OutRecord } from '../message-bus.js';
import { BATCH_HEAD_BYTES, encodeRecordBatch, followingSequence } from './record-batch.js';

/** kafkajs's own reading of a batch: another hand's. */
const load = createRequire(import.meta.url);
const Decoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeBatch = load('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<{
  readonly records: readonly {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Record<string, Buffer>;
    readonly offset: string;
    readonly timestamp: string;
  }[];
  readonly firstSequence: number;
}>;

const TIME_MS = 1_795_000_000_123;
const origin = { producerId: 4_000_000_007n, producerEpoch: 3, sequence: 1_000_000 };
const record = (key: OutRecord['key'], value: OutRecord['value'], headers?: OutRecord['headers']): OutRecord => ({
  topic: 't',
  partition: 0,
  key,
  value,
  ...(headers ? { headers } : {}),
});
const text = (content: Buffer | null): string | null => content?.toString() ?? null;

describe('a record batch', () => {
  it('is what another reader takes it for: keys, values, headers, tombstones, text and bytes, short and long', async () => {
    const records = [
      record('key', '{"n":1}'),
      record(Buffer.from([0, 1, 255]), Buffer.from('bytes')),
      record(null, 'größer als ASCII: 鍵'),
      record('tombstone', null),
      record('', ''),
      record('with headers', 'x', { ce_id: '1', ce_größe: 'ö'.repeat(100) }),
      ...Array.from({ length: 300 }, (_, n) => record(`k${n}`, 'v'.repeat(n * 7))),
      record('long', 'ä'.repeat(200_000)),
    ];
    const decoded = await decodeBatch(new Decoder(encodeRecordBatch(records, TIME_MS, origin)));
    expect(decoded).toMatchObject({
      firstOffset: '0',
      firstTimestamp: String(TIME_MS),
      maxTimestamp: String(TIME_MS),
      partitionLeaderEpoch: -1,
      inTransaction: false,
      isControlBatch: false,
      lastOffsetDelta: records.length - 1,
      producerId: '4000000007',
      producerEpoch: 3,
      firstSequence: 1_000_000,
    });
    expect(decoded.records).toHaveLength(records.length);
    decoded.records.forEach(({ key, value, headers, offset, timestamp }, i) => {
      const wanted = records[i]!;
      expect([text(key), text(value)]).toEqual([wanted.key?.toString() ?? null, wanted.value?.toString() ?? null]);
      expect([offset, timestamp]).toEqual([String(i), String(TIME_MS)]);
      const found = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.toString()]));
      expect(found).toEqual(wanted.headers ?? {});
    });
  });

  it('has the CRC-32C of everything behind it', () => {
    const batch = encodeRecordBatch([record('k', 'v')], TIME_MS, origin);
    expect(batch.readUInt32BE(17)).toBe(slowCrc32c(batch.subarray(21)));
    expect(batch.readInt32BE(8)).toBe(batch.length - 12);
    expect(batch.length).toBeGreaterThan(BATCH_HEAD_BYTES);
  });

  it('is numbered on from 0 after the largest sequence there is', () => {
    expect(followingSequence(0x7fff_fffe, 1)).toBe(0x7fff_ffff);
    expect(followingSequence(0x7fff_fffe, 2)).toBe(0);
    expect(followingSequence(0x7fff_fffe, 5)).toBe(3);
  });
});

/** Bit by bit, as the polynomial says. */
function slowCrc32c(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
