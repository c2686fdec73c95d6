import { type Attribution, classHash, modelHash, type Pair, PredictionIdSealer } from '@app/shared';
import { describe, expect, it } from 'vitest';
import type { PairShare } from '../summary.js';
import { CONTROL_PARTITIONS, LogBuilder, summariesOf, T0 } from '../../testing/slot-builders.js';
import type { GenerationDirectory, ModelEntry, ShadowGeneration } from './generation-directory.js';
import { LabelSlot } from './label-slot.js';

const sealer = new PredictionIdSealer([{ number: 1, secret: Buffer.alloc(32, 1) }]);
const SHADOW: ShadowGeneration = { strataMs: 1_000, answersWithinMs: 10_000, labelsWithinMs: 60_000, tolerance: 0 };
const STRATUM = Math.ceil(T0 / 1_000);

function directoryOf(shadow: ShadowGeneration = SHADOW): GenerationDirectory {
  const entry: ModelEntry = {
    model: 'digits',
    generation: 3,
    version: (index) => ['v1', 'v2'][index] ?? null,
    hasVersion: () => true,
    tolerance: shadow.tolerance,
    counted: () => ({ labelsWithinMs: 60_000, tolerance: shadow.tolerance }),
    shadow: (generation) => (generation === 3 ? shadow : null),
  };
  return { model: (hash) => (hash === modelHash('digits') ? entry : null) };
}

let counter = 0;
/** The id of a prediction that stable answered with 7. */
function id(parts: Partial<Attribution> = {}): string {
  return sealer.seal({
    modelHash: modelHash('digits'),
    generation: 3,
    versionIndex: 0,
    arm: 'stable',
    routedAt: STRATUM * 1_000 + 10,
    sinceBucketMs: 0,
    unit: 5,
    segment: 0,
    routerHash: 1,
    counter: counter++,
    valueKind: 'class',
    value: classHash('7'),
    counted: true,
    ...parts,
  });
}

const label = (predictionId: string, value: unknown = 7) => ({ predictionId, label: value });
function pair(predictionId: string, canary: string | number | null = '7', more: Partial<Pair> = {}): Pair {
  const status = { stable: 'ok', canary: canary === null ? 'error' : 'ok' } as const;
  const agree = canary === null ? {} : { agree: canary === '7' };
  return { kind: 'pair', schemaVersion: 1, predictionId, stable: '7', canary, ...agree, status, ...more };
}

/** All that becomes of a log, once every horizon is over. */
function shares(log: LogBuilder, shadow = SHADOW): PairShare[] {
  const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, null);
  const { records } = log.after(12_000).tick().after(60_000).tick();
  const folded = slot.foldBatch(records, records.length, { directory: directoryOf(shadow), givenUp: new Set() });
  expect(folded.deadLetters).toEqual([]);
  return summariesOf(folded)
    .map(({ summary }) => summary)
    .filter((summary) => summary.kind === 'pair-share');
}
const answersOf = (log: LogBuilder) => shares(log).flatMap(({ answers }) => answers ?? []);
const accuracyOf = (log: LogBuilder, shadow = SHADOW) => shares(log, shadow).flatMap(({ accuracy }) => accuracy ?? []);
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('pairs of answers', () => {
  it('are counted in the stratum of their prediction once the deadlines are over: failures of one, and agreement', () => {
    const log = new LogBuilder()
      .json(pair(id()))
      .json(pair(id({ unit: 9 }), '8'))
      .json(pair(id(), null))
      .json(pair(id(), '7', { stable: null, agree: undefined, status: { stable: 'timeout', canary: 'ok' } }))
      .json(pair(id(), null, { stable: null, status: { stable: 'error', canary: 'error' } }));
    const [answers] = answersOf(log);
    const { errors, agreement } = answers!;
    expect([sum(errors.groupN), sum(errors.groupWorse), sum(errors.groupBetter), errors.bothBad]).toEqual([5, 1, 1, 1]);
    expect([sum(agreement.groupN), agreement.groupWorse[9], agreement.groupWorse[5]]).toEqual([2, 1, 0]);
  });

  it.each([
    ['the label after the pair', (log: LogBuilder, a: object, b: object) => log.json(a).json(b)],
    ['the label before the pair', (log: LogBuilder, a: object, b: object) => log.json(b).json(a)],
  ])('meet their label: %s', (_order, write) => {
    const log = new LogBuilder();
    for (const [canary, truth] of [
      ['8', 7],
      ['8', 8],
      ['8', 9],
      ['7', 7],
      ['7', 9],
    ] as const) {
      const of = id();
      write(log, pair(of, canary), label(of, truth));
    }
    const [accuracy] = accuracyOf(log);
    const { groupN, groupWorse, groupBetter, bothBad } = accuracy!;
    expect([sum(groupN), groupWorse[5], groupBetter[5], bothBad]).toEqual([5, 1, 1, 2]);
  });

  it('of numbers are right within the tolerance', () => {
    const number = { valueKind: 'number', value: 2 } as const;
    const log = new LogBuilder();
    for (const [canary, truth] of [
      [2.3, 2.4],
      [2.7, 2.1],
    ] as const) {
      const of = id(number);
      log.json(pair(of, canary, { stable: 2, agree: false })).json(label(of, truth));
    }
    const [accuracy] = accuracyOf(log, { ...SHADOW, tolerance: 0.2 });
    expect([sum(accuracy!.groupN), sum(accuracy!.groupWorse), sum(accuracy!.groupBetter)]).toEqual([2, 1, 1]);
  });

  it('count once, whoever writes them twice, and so do their labels', () => {
    const of = id();
    const log = new LogBuilder().json(pair(of, '8')).again().json(label(of)).again().json(pair(of, '9'));
    expect(sum(answersOf(log)[0]!.errors.groupN)).toBe(1);
    const again = new LogBuilder().json(label(of)).again().json(pair(of, '8')).again().json(label(of, 8));
    expect(accuracyOf(again).map(({ groupN, groupWorse }) => [sum(groupN), sum(groupWorse)])).toEqual([[1, 1]]);
  });

  it('without a label, and labels without a pair, say nothing of accuracy', () => {
    const log = new LogBuilder().json(pair(id(), '8')).json(label(id()));
    expect(sum(accuracyOf(log)[0]!.groupN)).toBe(0);
  });

  it('in which the canary failed say nothing of accuracy: its failures are counted', () => {
    const of = id();
    expect(sum(accuracyOf(new LogBuilder().json(pair(of, null)).json(label(of)))[0]!.groupN)).toBe(0);
  });

  it('that come after the deadlines are late', () => {
    const of = id();
    expect(shares(new LogBuilder().after(12_000).json(pair(of, '8')).json(label(of)))).toEqual([]);
  });

  it('of other generations, and of predictions that are no evidence, are not counted', () => {
    const log = new LogBuilder().json(pair(id({ generation: 2 }))).json(pair(id({ counted: false })));
    expect(shares(log)).toEqual([]);
  });

  it('are compared with each other only where no labels are', () => {
    const of = id();
    const log = new LogBuilder().json(pair(of, '8')).json(label(of));
    const all = shares(log, { ...SHADOW, labelsWithinMs: null });
    expect(all).toHaveLength(1);
    expect(all[0]).toMatchObject({ stratum: STRATUM, strataMs: 1_000, accuracy: null });
  });

  it('are bounded', () => {
    const log = new LogBuilder();
    for (let i = 0; i < 5_100; i++) log.json(pair(id()));
    expect(sum(answersOf(log)[0]!.errors.groupN)).toBe(5_000);
  });

  it('wait for a generation that has not been read, as labels do', () => {
    const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, null);
    const { records } = new LogBuilder().json(pair(id())).json(pair(id({ generation: 4 })));
    const folded = slot.foldBatch(records, 2, { directory: directoryOf(), givenUp: new Set() });
    expect([folded.position, folded.waitsFor]).toEqual([1, `${modelHash('digits')}|4`]);
  });

  it.each([
    ['with a forged id', { predictionId: `${id().slice(0, 50)}AAAAAAAAAA` }],
    ['without a status', { status: undefined }],
  ])('%s become dead letters', (_name, change) => {
    const slot = new LabelSlot(sealer, CONTROL_PARTITIONS, null);
    const { records } = new LogBuilder().json({ ...pair(id()), ...change });
    const folded = slot.foldBatch(records, 1, { directory: directoryOf(), givenUp: new Set() });
    expect(folded.deadLetters).toHaveLength(1);
  });
});
