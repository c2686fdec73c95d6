import { classHash, modelHash, type Outcome, type Pair, PredictionIdSealer } from '@app/shared';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { seeds } from '../../../../../test/fixtures/thorough.js';
import type { PlacedSummary } from '../summary.js';
import type { FoldedBatch, SlotRecord } from './folded-batch.js';
import type { GenerationDirectory } from './generation-directory.js';
import { LabelSlot } from './label-slot.js';
import { OutcomeSlot } from './outcome-slot.js';
import { seededRandom } from '../../testing/builders.js';
import { CONTROL_PARTITIONS, LogBuilder, PARTITION, randomRuns, summariesOf } from '../../testing/slot-builders.js';
import type { SlotImage } from './slot-image.js';
import { packSummaries, unpackSummaries } from './summary-codec.js';

interface Slot {
  fold(records: readonly SlotRecord[], nextOffset: number): FoldedBatch;
}
type OpenSlot = (image: SlotImage | null) => Slot;

const SEEDS = seeds(8, 4);

describe('outcome slots', () => {
  const open: OpenSlot = (image) => {
    const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, image);
    return { fold: (records, nextOffset) => slot.foldBatch(records, nextOffset) };
  };

  it.each(SEEDS)('are the same wherever batches end and owners change (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const records = randomOutcomeLog(random);
    const whole = run(open, [records], () => false);
    expect(whole.summaries.length).toBeGreaterThan(50);
    for (const longest of [1, 7, 60]) {
      const parts = run(open, randomRuns(records, longest, random), () => random() < 0.3);
      if (!isDeepStrictEqual(parts, whole)) expect(parts).toEqual(whole);
    }
  });

  it.each(SEEDS)('say of a model alone what they say of it among others (seed %i)', (seed) => {
    const records = randomOutcomeLog(seededRandom(seed));
    const slot = new OutcomeSlot(PARTITION, CONTROL_PARTITIONS, null, new Set(['fraud']));
    expectOnly('fraud', slot.foldBatch(records, records.length), run(open, [records], () => false).summaries);
  });
});

describe('label slots', () => {
  const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 7) }]);
  const models = ['digits', 'fraud', 'spam'];
  const directory: GenerationDirectory = {
    model: (hash) => ({
      model: models.find((model) => modelHash(model) === hash)!,
      generation: 9,
      version: (index) => ['v1', 'v2'][index] ?? null,
      hasVersion: () => true,
      tolerance: 0,
      counted: (generation) =>
        generation === 3 ? null : { labelsWithinMs: 20_000 * generation, tolerance: 0, values: ['revenue'] },
      shadow: (generation) =>
        generation === 1
          ? null
          : {
              strataMs: generation === 2 ? 1_000 : 1_500,
              answersWithinMs: 30_000,
              labelsWithinMs: generation === 2 ? 40_000 : null,
              tolerance: 0,
            },
    }),
  };
  const open: OpenSlot = (image) => {
    const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, image);
    return { fold: (records, nextOffset) => slot.foldBatch(records, nextOffset, { directory, givenUp: new Set() }) };
  };

  it.each(SEEDS)('are the same wherever batches end and owners change (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const records = randomLabelLog(random, sealer, models);
    const whole = run(open, [records], () => false);
    expect(whole.summaries.length).toBeGreaterThan(50);
    for (const longest of [1, 7, 60]) {
      const parts = run(open, randomRuns(records, longest, random), () => random() < 0.3);
      if (!isDeepStrictEqual(parts, whole)) expect(parts).toEqual(whole);
    }
  });

  it.each(SEEDS)('say of a model alone what they say of it among others (seed %i)', (seed) => {
    const records = randomLabelLog(seededRandom(seed), sealer, models);
    const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, null, new Set(['fraud']));
    const folded = slot.foldBatch(records, records.length, { directory, givenUp: new Set() });
    expectOnly('fraud', folded, run(open, [records], () => false).summaries);
  });
});

/** The model's summaries of `all`, at their offsets. */
function expectOnly(model: string, folded: FoldedBatch, all: readonly PlacedSummary[]): void {
  const of = (summaries: readonly PlacedSummary[]) =>
    summaries.flatMap(({ offset, summary }) => (summary.model === model ? [{ offset, summary }] : []));
  const [found, wanted] = [of(summariesOf(folded)), of(all)];
  expect(wanted.length).toBeGreaterThan(20);
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted);
}

/** Folds batch after batch; now and then another owner takes over from what is stored. */
function run(open: OpenSlot, batches: readonly (readonly SlotRecord[])[], changesOwner: () => boolean) {
  const fields = new Map<string, Buffer>();
  const summaries: PlacedSummary[] = [];
  const deadLetters: unknown[] = [];
  let slot = open(null);
  let position = 0;
  let logTimeMs = -1;
  for (const records of batches) {
    const folded = slot.fold(records, records.at(-1)!.offset + 1);
    ({ position, logTimeMs } = folded);
    for (const field of folded.deleted) expect(fields.delete(field)).toBe(true);
    for (const [field, value] of folded.set) fields.set(field, value);
    summaries.push(...summariesOf(folded));
    deadLetters.push(...folded.deadLetters);
    if (changesOwner()) slot = open({ position, logTimeMs, fields: new Map(fields) });
  }
  // Thousands of them: vitest's own comparison would take longer than all the rest.
  const unpacked = unpackSummaries(packSummaries(summaries));
  expect(summaries.filter((placed, i) => !isDeepStrictEqual(unpacked[i], placed))).toEqual([]);
  const sorted = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return { position, logTimeMs, fields: sorted, summaries, deadLetters };
}

/** Routers that come and go, buckets of two arms, late, doubled, lost and bad records, pauses in which buckets grow overdue. */
function randomOutcomeLog(random: () => number): readonly SlotRecord[] {
  const log = new LogBuilder();
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  for (let bucket = 0; bucket < 150; bucket++) {
    const router = `r-${Math.floor(bucket / 50)}-${Math.floor(random() * 3)}`;
    const parts = { router, bucket, model: pick(['digits', 'fraud']), generation: 3 };
    const routed = { v1: 1 + Math.floor(random() * 8), v2: Math.floor(random() * 4) };
    const lost = random() < 0.1 ? 1 : 0;
    for (const version of ['v1', 'v2'] as const)
      for (let i = 0; i < routed[version] - (version === 'v1' ? lost : 0); i++) {
        log.after(Math.floor(random() * 20));
        const status = pick(['ok', 'ok', 'ok', 'error', 'cancelled'] as const);
        const more = parts.model === 'fraud' ? randomDetails(random) : {};
        const unit = Math.floor(random() * 64);
        log.outcome({ ...parts, ...more, version, status, unit, latencyMs: random() * 300 });
        if (random() < 0.1) log.again();
        if (random() < 0.03) log.raw(Buffer.from('bad'));
        if (random() < 0.03) log.outcome({ ...parts, version, generation: 4 });
      }
    if (random() < 0.2) log.bucket({ v1: { routed: routed.v1 + 1, pending: 1 }, v2: { routed: routed.v2 } }, parts);
    if (random() < 0.85) log.bucket({ v1: { routed: routed.v1 }, v2: { routed: routed.v2 } }, parts);
    if (random() < 0.05) log.after(100_000 * random()).tick();
    if (bucket % 60 === 59) log.after(26 * 3_600_000).tick();
  }
  return log.after(300_000).tick().records;
}

/** What outcomes of a rollout with custom checks, segments and drift may carry; any of it may be missing. */
function randomDetails(random: () => number): Partial<Outcome> {
  return {
    ...(random() < 0.7 ? { values: { score: random(), [`n${Math.floor(random() * 10)}`]: -1e6 * random() } } : {}),
    ...(random() < 0.9 ? { segment: ['', 'de', 'fr', `x-${random()}`][Math.floor(random() * 4)] } : {}),
    ...(random() < 0.8 ? { prediction: 'cat', predictionBin: Math.floor(random() * 16_384) } : {}),
  };
}

/** Both versions fail now and then, and do not always agree. */
function randomPair(predictionId: string, random: () => number): Pair {
  const status = { stable: random() < 0.1 ? 'error' : 'ok', canary: random() < 0.2 ? 'timeout' : 'ok' } as const;
  const canary = status.canary === 'ok' ? Math.floor(random() * 2) : null;
  const stable = status.stable === 'ok' ? 1 : null;
  const agree = canary === null || stable === null ? {} : { agree: canary === stable };
  return { kind: 'pair', schemaVersion: 1, predictionId, stable, canary, ...agree, status };
}

/** Labels of several models and generations, in time and late, doubled and bad. */
function randomLabelLog(random: () => number, sealer: PredictionIdSealer, models: readonly string[]) {
  const log = new LogBuilder();
  const ids: string[] = [];
  for (let i = 0; i < 800; i++) {
    log.after(Math.floor(random() * 300));
    const timeMs = log.records.at(-1)?.timestampMs ?? 1_700_000_000_000;
    const canary = random() < 0.3;
    const predictionId = sealer.seal({
      modelHash: modelHash(models[Math.floor(random() * models.length)]!),
      generation: 1 + Math.floor(random() * 3),
      versionIndex: canary ? 1 : 0,
      arm: canary ? 'canary' : 'stable',
      routedAt: Math.floor(timeMs - random() * 60_000),
      sinceBucketMs: Math.floor(random() * 200),
      unit: Math.floor(random() * 64),
      segment: i % 3 === 0 ? Math.floor(random() * 64) : 0,
      routerHash: 1,
      counter: i,
      valueKind: 'class',
      value: classHash(Math.floor(random() * 2)),
      counted: random() < 0.9,
    });
    ids.push(predictionId);
    const values = random() < 0.5 ? { values: { revenue: random(), other: 1 } } : {};
    const labelled = random() < 0.15 ? ids[Math.floor(random() * ids.length)] : predictionId;
    log.json({ predictionId: labelled, label: 1, ...values });
    const paired = random() < 0.15 ? ids[Math.floor(random() * ids.length)]! : predictionId;
    if (random() < 0.8) log.json(randomPair(paired, random));
    if (random() < 0.05) log.json({ predictionId: `${predictionId.slice(0, 50)}AAAAAAAAAA`, label: 1 });
    if (random() < 0.05) log.after(3_000).tick();
  }
  return log.after(200_000).tick().records;
}
