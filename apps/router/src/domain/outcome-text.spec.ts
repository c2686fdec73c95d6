import { bucketCodec, outcomeCodec } from '@app/shared/core';
import { describe, expect, it } from 'vitest';
import { bucketText, outcomePrefix, outcomeText } from './outcome-text.js';

const prefix = outcomePrefix({ model: 'di"gits', version: 'v2', generation: 4, router: 'r-1' });
const fields = {
  predictionId: 'A'.repeat(60),
  bucket: 7,
  unit: 63,
  routedAtMs: 1_795_000_000_123,
  latencyMs: 12.345678,
  status: 'ok',
  httpStatus: 200,
} as const;
const decode = (text: string): unknown => {
  const decoded = outcomeCodec.decode(Buffer.from(text));
  return decoded.ok ? decoded.value : decoded.problems;
};

describe('outcome records', () => {
  it('obey the contract with the fewest fields', () => {
    expect(decode(outcomeText(prefix, 3, 9, fields))).toEqual({
      kind: 'outcome',
      schemaVersion: 1,
      model: 'di"gits',
      version: 'v2',
      generation: 4,
      router: 'r-1',
      predictionId: 'A'.repeat(60),
      lane: 3,
      sequence: 9,
      bucket: 7,
      unit: 63,
      routedAt: 1_795_000_000_123,
      latencyMs: 12.346,
      status: 'ok',
      httpStatus: 200,
    });
  });

  it('obey the contract with all fields', () => {
    const all = { ...fields, firstByteMs: 1.5, prediction: 'a"\u2028\\', fallback: true, override: true, bucket: null };
    expect(decode(outcomeText(prefix, 0, 0, all))).toMatchObject({
      firstByteMs: 1.5,
      prediction: 'a"\u2028\\',
      fallback: true,
      override: true,
    });
    expect(decode(outcomeText(prefix, 0, 0, all))).not.toHaveProperty('bucket');
    const watched = { values: { 'sc"ore': -1.5e-7 }, segment: 'São "Paulo"', predictionBin: 16_383 };
    expect(decode(outcomeText(prefix, 0, 0, { ...fields, ...watched }))).toMatchObject(watched);
  });

  it('never say a negative latency', () => {
    expect(decode(outcomeText(prefix, 0, 0, { ...fields, latencyMs: -0.5 }))).toMatchObject({ latencyMs: 0 });
  });

  it('take about 300 bytes', () => {
    expect(outcomeText(prefix, 3, 123_456, { ...fields, prediction: 3 }).length).toBeLessThan(360);
  });
});

describe('bucket records', () => {
  it('obey the contract', () => {
    const text = bucketText('r-1', 4, {
      number: 2,
      routing: { model: 'digits', generation: 1, versions: ['v1'] },
      partition: 5,
      routedFromMs: 10,
      routedToMs: 110,
      ageMs: 50,
      previousAgeMs: 0,
      versions: { v1: { routed: 10, intended: 10, pending: 1, dropped: 0 } },
      final: false,
    });
    expect(bucketCodec.decode(Buffer.from(text))).toMatchObject({
      ok: true,
      value: { lane: 5, sequence: 4, bucket: 2 },
    });
  });
});
