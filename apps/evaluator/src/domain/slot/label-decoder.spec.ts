import { isDeepStrictEqual } from 'node:util';
import { classHash, type Label, modelHash, PredictionIdSealer } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { compareReadings, maybe, pick, type Random } from '../../testing/mutated-json.js';
import { LabelDecoder } from './label-decoder.js';
import { judgeLabelRecord, readLabelRecord } from './read-label-record.js';

const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 1) }]);
const GOOD_ID = sealer.seal({
  modelHash: modelHash('digits'),
  generation: 3,
  versionIndex: 1,
  arm: 'canary',
  routedAt: 1_795_356_130_000,
  sinceBucketMs: 12,
  unit: 5,
  segment: 0,
  routerHash: 1,
  counter: 7,
  valueKind: 'class',
  value: classHash('7'),
  counted: true,
});

function randomLabel(random: Random): Label {
  return {
    kind: maybe(random, 0.3, 'label' as const),
    predictionId: pick(random, [GOOD_ID, GOOD_ID, 'x', '']),
    label: pick<Label['label']>(random, ['cat', 'katzenähnlich', '', '7', 7, -1.5e-7, true, false, 'x'.repeat(501)]),
    values: maybe(random, 0.1, { score: random() }),
    occurredAt: maybe(random, 0.6, 1_795_356_130_000 + Math.floor(random() * 1e9)),
  };
}

/** Null if both read the same, as far as anybody looks at it; otherwise what each said. */
function difference(bytes: Buffer): unknown {
  const looked = [judgeLabelRecord(bytes, sealer), readLabelRecord(bytes, sealer)].map((reading) => {
    if (reading.kind !== 'label') return reading;
    const { predictionId, label, values } = reading.label;
    return { predictionId, label, values, attribution: reading.attribution };
  });
  return isDeepStrictEqual(looked[1], looked[0]) ? null : { text: bytes.toString(), looked };
}

describe('the decoder of labels', () => {
  it.each(seeds(6, 3))('accepts, refuses and reads what the parser and the schema do (seed %i)', (seed) => {
    const isAccepted = (bytes: Buffer): boolean => judgeLabelRecord(bytes, sealer).kind === 'label';
    compareReadings(seed, { random: randomLabel, difference, isAccepted });
  });

  it('reads by itself what has no values', () => {
    const decoder = new LabelDecoder();
    for (const label of ['cat', 7, -0.5, true, false]) {
      const text = JSON.stringify({ predictionId: GOOD_ID, label, occurredAt: 1_795_356_130_000 });
      expect([decoder.decode(Buffer.from(text)), text]).toEqual([true, text]);
      expect(decoder.label).toEqual({ predictionId: GOOD_ID, label });
    }
    expect(decoder.decode(Buffer.from(JSON.stringify({ predictionId: 'p', label: 1, values: { a: 1 } })))).toBe(false);
  });
});
