import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { OutRecord } from '../message-bus.js';
import { decodeRecordSet } from './fetch-decoder.js';
import { encodeRecordBatch } from './record-batch.js';

/**
 * What Kafka's own Java producer (4.2.0, idempotent) wrote to a real broker, as the broker has it on disk: see
 * test/fixtures/java-producer/GoldenBatch.java, which has the same records.
 */
const golden = readFileSync(new URL('../../../../../test/fixtures/java-producer/golden-batch.bin', import.meta.url));
const TIME_MS = 1_795_000_000_123;

const record = (key: string | null, value: string | null, headers?: Record<string, string>): OutRecord => ({
  topic: 'golden',
  partition: 0,
  key,
  value,
  ...(headers ? { headers } : {}),
});
const records: readonly OutRecord[] = [
  record('key', '{"n":1}'),
  record(null, 'größer als ASCII: 鍵 😀'),
  record('tombstone', null),
  record('', ''),
  record('headers', 'x', { ce_id: '1', ce_größe: 'ö'.repeat(100) }),
  ...Array.from({ length: 40 }, (_, n) => record(`k${n}`, 'v'.repeat(n * 7))),
  record('long', 'ä'.repeat(5_000)),
];

/** Where each field of a batch's head stands, and how long it is. */
const FIELDS = {
  baseOffset: [0, 8],
  length: [8, 4],
  leaderEpoch: [12, 4],
  magic: [16, 1],
  crc: [17, 4],
  attributes: [21, 2],
  lastOffsetDelta: [23, 4],
  firstTimestamp: [27, 8],
  maxTimestamp: [35, 8],
  producerId: [43, 8],
  producerEpoch: [51, 2],
  firstSequence: [53, 4],
  count: [57, 4],
} as const;
const field = (batch: Buffer, name: keyof typeof FIELDS): string => {
  const [at, bytes] = FIELDS[name];
  return batch.toString('hex', at, at + bytes);
};

describe("a batch beside the Java producer's", () => {
  const ours = encodeRecordBatch(records, TIME_MS, {
    producerId: golden.readBigInt64BE(43),
    producerEpoch: golden.readInt16BE(51),
    sequence: golden.readInt32BE(53),
  });

  it.each(Object.keys(FIELDS) as (keyof typeof FIELDS)[])('has the same %s', (name) => {
    // The broker puts its leader epoch in the place of "unknown"; the checksum does not cover it.
    const expected = name === 'leaderEpoch' ? 'ffffffff' : field(golden, name);
    expect(field(ours, name)).toBe(expected);
  });

  it('has the same records, byte for byte', () => {
    expect(ours.length).toBe(golden.length);
    expect(ours.subarray(61).equals(golden.subarray(61))).toBe(true);
  });

  it('is read as what Java wrote', async () => {
    const read = await decodeRecordSet(golden, { bytes: 1e9 });
    const text = (content: Buffer | null): string | null => content?.toString() ?? null;
    expect(read.map((r) => [text(r.key), text(r.value), r.headers])).toEqual(
      records.map(({ key, value, headers }) => [key, value, headers]),
    );
    expect(new Set(read.map((r) => r.timestampMs))).toEqual(new Set([TIME_MS]));
  });
});
