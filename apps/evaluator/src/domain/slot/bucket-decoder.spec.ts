import { isDeepStrictEqual } from 'node:util';
import type { BucketRecord } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { seededRandom } from '../../testing/builders.js';
import { compareReadings, pick, type Random } from '../../testing/mutated-json.js';
import { BucketDecoder } from './bucket-decoder.js';
import { judgeOutcomeRecord, readOutcomeRecord } from './read-outcome-record.js';

function randomBucket(random: Random): BucketRecord {
  const count = (): number => Math.floor(random() ** 8 * Number.MAX_SAFE_INTEGER);
  const ageMs = (): number => pick(random, [0, 50.25, random() * 1e6, 1e-7]);
  const names = ['v1', 'v2', '7', '3', 'größe', 'toString', '', 'x'.repeat(201)].filter(() => random() < 0.3);
  const counts = () => ({ routed: count(), intended: count(), pending: count(), dropped: count() });
  return {
    kind: 'bucket',
    schemaVersion: 1,
    model: pick(random, ['digits', 'fraud', 'größe', 'a"b', 'm\\n']),
    generation: Math.floor(random() * 20),
    router: `router-${Math.floor(random() * 4)}-5f0c2ab98d3e7741`,
    lane: Math.floor(random() * 12),
    sequence: count(),
    bucket: Math.floor(random() * 1e9),
    routedFrom: 1_795_356_130_000 + Math.floor(random() * 1e9),
    routedTo: 1_795_356_130_000 + Math.floor(random() * 1e9),
    ageMs: ageMs(),
    previousAgeMs: ageMs(),
    versions: Object.fromEntries(names.map((name) => [name, counts()])),
    final: random() < 0.5,
  };
}

/** Null if both read the same; otherwise what each said. */
function difference(bytes: Buffer): unknown {
  const [expected, got] = [judgeOutcomeRecord(bytes), readOutcomeRecord(bytes)];
  return isDeepStrictEqual(got, expected) ? null : { text: bytes.toString(), expected, got };
}

describe('the decoder of bucket records', () => {
  it.each(seeds(6, 3))('accepts, refuses and reads what the parser and the schema do (seed %i)', (seed) => {
    const isAccepted = (bytes: Buffer): boolean => judgeOutcomeRecord(bytes).kind === 'bucket';
    compareReadings(seed, { random: randomBucket, difference, isAccepted });
  });

  it('reads by itself what routers write', () => {
    const random = seededRandom(7);
    const decoder = new BucketDecoder();
    for (let i = 0; i < 500; i++) {
      const counts = { routed: i, intended: 7, pending: 1, dropped: 0 };
      const bucket = {
        ...randomBucket(random),
        model: 'digits',
        sequence: i,
        versions: { v1: counts, 'v2.0': counts },
      };
      const text = JSON.stringify(bucket);
      expect([decoder.decode(Buffer.from(text)), text]).toEqual([true, text]);
      expect(decoder.record).toEqual(bucket);
    }
  });
});
