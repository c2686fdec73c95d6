import { isDeepStrictEqual } from 'node:util';
import type { Outcome } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import { seededRandom } from '../../testing/builders.js';
import { compareReadings, maybe, pick, type Random } from '../../testing/mutated-json.js';
import { OutcomeDecoder, type SlotOutcome } from './outcome-decoder.js';
import { judgeOutcomeRecord, readOutcomeRecord } from './read-outcome-record.js';

function randomOutcome(random: Random): Outcome {
  const number = (): number => pick(random, [0, random(), -random() * 1e6, 1e21 * random(), 1e-9 * random()]);
  return {
    kind: 'outcome',
    schemaVersion: 1,
    predictionId: 'AEi5NKsSh3Xo66B4WByLa1l2FXS4Li5xI2XGWcpawayoQH0m8A2jLG7jormL',
    model: pick(random, ['digits', 'fraud', 'größe', 'a"b', 'm\\n']),
    version: pick(random, ['v1', 'v2', 'x'.repeat(200)]),
    generation: Math.floor(random() * 20),
    router: `router-${Math.floor(random() * 4)}-5f0c2ab98d3e7741`,
    lane: Math.floor(random() * 12),
    sequence: Math.floor(random() ** 4 * Number.MAX_SAFE_INTEGER),
    bucket: maybe(random, 0.9, Math.floor(random() * 1e9)),
    unit: Math.floor(random() * 64),
    routedAt: 1_795_356_130_000 + Math.floor(random() * 1e9),
    latencyMs: pick(random, [0, Math.round(random() * 3e5) / 1000, random() * 1000, 1e-7]),
    firstByteMs: maybe(random, 0.2, Math.round(random() * 1e6) / 1000),
    status: pick(random, ['ok', 'ok', 'error', 'timeout', 'overloaded', 'cancelled']),
    httpStatus: pick(random, [200, 0, 422, 503]),
    prediction: maybe(random, 0.7, pick<string | number>(random, ['7', 'cat', 'katzenähnlich', '', number()])),
    values: maybe(random, 0.2, { score: number(), [pick(random, ['n', '7', 'toString', ''])]: number() }),
    segment: maybe(random, 0.2, pick(random, ['', 'de', 'x'.repeat(100)])),
    predictionBin: maybe(random, 0.3, Math.floor(random() * 16_384)),
    fallback: maybe(random, 0.1, random() < 0.5),
    override: maybe(random, 0.1, random() < 0.5),
    shadow: maybe(random, 0.1, random() < 0.5),
  };
}

/** What a slot looks at; a prediction only where its bin is asked for. */
function lookedAt(of: SlotOutcome): Partial<Outcome> {
  const used = of.predictionBin === undefined ? { ...of, prediction: undefined } : of;
  const names = KNOWN.filter((name) => used[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, used[name]]));
}
const KNOWN = Object.keys(new OutcomeDecoder().outcome) as (keyof SlotOutcome)[];

/** Null if both read the same, in the same way; otherwise what each said. */
function difference(bytes: Buffer): unknown {
  const judged = judgeOutcomeRecord(bytes);
  const read = readOutcomeRecord(bytes);
  if (judged.kind === 'outcome' && read.kind === 'outcome') {
    const [expected, got] = [lookedAt(judged.outcome), lookedAt(read.outcome)];
    return isDeepStrictEqual(got, expected) ? null : { text: bytes.toString(), expected, got };
  }
  return isDeepStrictEqual(read, judged) ? null : { text: bytes.toString(), expected: judged, got: read };
}

describe('the decoder of outcomes', () => {
  it.each(seeds(6, 3))('accepts, refuses and reads what the parser and the schema do (seed %i)', (seed) => {
    const isAccepted = (bytes: Buffer): boolean => judgeOutcomeRecord(bytes).kind === 'outcome';
    compareReadings(seed, { random: randomOutcome, difference, isAccepted });
  });

  it('reads by itself what routers write, and what else has ASCII names and numbers of a usual length', () => {
    const random = seededRandom(7);
    const decoder = new OutcomeDecoder();
    for (let i = 0; i < 500; i++) {
      const outcome: Outcome = { ...randomOutcome(random), model: 'digits', prediction: 'cat', sequence: i };
      const { kind, schemaVersion, model, version, generation, router, ...rest } = outcome;
      // Routers begin with what is the same for many predictions.
      const asRoutersDo = { kind, schemaVersion, model, version, generation, router, ...rest };
      for (const text of [asRoutersDo, outcome].map((of) => JSON.stringify(of))) {
        expect([decoder.decode(Buffer.from(text)), text]).toEqual([true, text]);
        expect(decoder.outcome).toMatchObject({ model, sequence: i, version, router });
      }
    }
  });

  it('leaves nothing of one outcome in the next', () => {
    const random = seededRandom(8);
    const full = { ...randomOutcome(random), model: 'm', values: { a: 1 }, segment: 's', prediction: 'p' };
    const all = { ...full, predictionBin: 1, shadow: true, fallback: true, override: true, firstByteMs: 1, bucket: 3 };
    const { kind, schemaVersion, predictionId, model, version, generation, router, lane, sequence } = all;
    const { unit, routedAt, latencyMs, status, httpStatus } = all;
    const least = { kind, schemaVersion, predictionId, model, version, generation, router, lane, sequence };
    const decoder = new OutcomeDecoder();
    expect(decoder.decode(Buffer.from(JSON.stringify(all)))).toBe(true);
    const bytes = Buffer.from(JSON.stringify({ ...least, unit, routedAt, latencyMs, status, httpStatus }));
    expect(decoder.decode(bytes)).toBe(true);
    const seen = Object.entries(decoder.outcome).filter(([, value]) => value !== undefined);
    expect(seen.map(([name]) => name).sort()).toEqual(
      ['generation', 'httpStatus', 'lane', 'latencyMs', 'model', 'routedAt', 'router', 'sequence', 'status', 'unit', 'version'], // prettier-ignore
    );
  });

  it('tells thousands of names apart, whichever share a place', () => {
    const decoder = new OutcomeDecoder();
    const base = { ...randomOutcome(seededRandom(9)), prediction: undefined };
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 20_000; i++) {
        const model = `model-${i}`;
        decoder.decode(Buffer.from(JSON.stringify({ ...base, model })));
        if (decoder.outcome.model !== model) expect(decoder.outcome.model).toBe(model);
      }
  });
});
