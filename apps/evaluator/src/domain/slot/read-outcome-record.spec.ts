import { outcomeCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { readOutcomeRecord } from './read-outcome-record.js';
import { LogBuilder } from '../../testing/slot-builders.js';

const good = JSON.parse(new LogBuilder().outcome().records[0]!.value!.toString()) as Record<string, unknown>;
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('a record of prediction-outcome', () => {
  it.each([
    ['a tombstone', null, 'tombstone'],
    ['no JSON', Buffer.from('{"kind":"outcome"'), 'not-json'],
    ['nothing', Buffer.alloc(0), 'not-json'],
    ['900 kB of rubbish', Buffer.alloc(900_000, 0xfe), 'too-long'],
    ['JSON that is no object', bytes(7), 'unknown-kind'],
    ['null', bytes(null), 'unknown-kind'],
    ['no kind', bytes({ ...good, kind: undefined }), 'unknown-kind'],
    ['another kind', bytes({ ...good, kind: 'reward' }), 'unknown-kind'],
    ['negative latency', bytes({ ...good, latencyMs: -1 }), 'wrong-type'],
    ['infinite latency', Buffer.from(JSON.stringify(good).replace('12.5', '1e999')), 'wrong-type'],
    ['a text for a number', bytes({ ...good, sequence: '1' }), 'wrong-type'],
    ['a fraction for a count', bytes({ ...good, generation: 1.5 }), 'wrong-type'],
    ['an unknown status', bytes({ ...good, status: 'meh' }), 'wrong-type'],
    ['a missing model', bytes({ ...good, model: undefined }), 'wrong-type'],
    ['an empty model', bytes({ ...good, model: '' }), 'wrong-type'],
    ['a group of users that does not exist', bytes({ ...good, unit: 64 }), 'wrong-type'],
    ['another schema', bytes({ ...good, schemaVersion: 2 }), 'wrong-type'],
    ['a bucket record without counts', bytes({ kind: 'bucket', schemaVersion: 1 }), 'wrong-type'],
    ['a tick of another schema', bytes({ kind: 'tick', schemaVersion: 2 }), 'wrong-type'],
  ])('%s is refused with a cause', (_, value, code) => {
    expect(readOutcomeRecord(value)).toMatchObject({ kind: 'refused', cause: { code } });
  });

  it('names the field and what is wrong with it', () => {
    const reading = readOutcomeRecord(bytes({ ...good, latencyMs: -1, unit: 'x' }));
    const text = reading.kind === 'refused' ? reading.cause.text : '';
    for (const field of ['latencyMs', 'unit']) expect(text).toContain(field);
  });

  it('may have fields that are not known, and every optional one', () => {
    for (const extra of [
      { colour: 'blue' },
      { firstByteMs: 3, prediction: 7, values: { score: 0.3 }, segment: 'eu', shadow: true, fallback: false },
      { prediction: 'seven', override: true, bucket: undefined },
    ])
      expect(readOutcomeRecord(bytes({ ...good, ...extra })).kind).toBe('outcome');
  });

  it.each([
    ['values', { score: 'x' }],
    ['values', { score: null }],
    ['values', [1]],
    ['values', Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`m${i}`, i]))],
    ['segment', 7],
    ['segment', 'x'.repeat(101)],
    ['predictionBin', 16_384],
    ['predictionBin', -1],
  ])('is refused for wrong %s (%j)', (field, value) => {
    const reading = readOutcomeRecord(bytes({ ...good, [field]: value }));
    expect(reading).toMatchObject({ kind: 'refused', cause: { code: 'wrong-type' } });
  });

  it('passes the quick guard only if the schema would let it through', () => {
    const wrong: unknown[] = [null, -1, 1.5, 'x', '', true, [], {}, 2 ** 60];
    for (const field of Object.keys(good))
      for (const value of wrong) {
        const candidate = { ...good, [field]: value };
        if (field === 'kind') continue;
        expect([field, value, readOutcomeRecord(bytes(candidate)).kind === 'outcome']).toEqual([
          field,
          value,
          outcomeCodec.check(candidate).ok,
        ]);
      }
  });
});
