import { type Attribution, classHash, modelHash, PredictionIdSealer } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { labelKey } from '../arm-details.js';
import type { LabelShare } from '../summary.js';
import { type GenerationDirectory, type ModelEntry, strataMsOf } from './generation-directory.js';
import { LabelSlot } from './label-slot.js';
import { CONTROL_PARTITIONS, LogBuilder, summariesOf, T0, windowsShownBy } from '../../testing/slot-builders.js';

const OLD_KEY = { number: 1, secret: Buffer.alloc(32, 1) };
const NEW_KEY = { number: 2, secret: Buffer.alloc(32, 2) };
const sealer = new PredictionIdSealer([NEW_KEY, OLD_KEY]);
const LABELS_WITHIN_MS = 300_000;
const STRATA_MS = strataMsOf(LABELS_WITHIN_MS);
/** The first stratum that begins at or after T0. */
const STRATUM = Math.ceil(T0 / STRATA_MS);
const START = STRATUM * STRATA_MS;

const digits: ModelEntry = {
  model: 'digits',
  generation: 3,
  version: (index) => ['v1', 'v2'][index] ?? null,
  hasVersion: (version) => ['v1', 'v2'].includes(version),
  tolerance: 0.1,
  counted: (generation) => (generation === 3 ? { labelsWithinMs: LABELS_WITHIN_MS, tolerance: 0.1 } : null),
};
const directory: GenerationDirectory = { model: (hash) => (hash === modelHash('digits') ? digits : null) };

let counter = 0;
function id(parts: Partial<Attribution> = {}, by = sealer): string {
  return by.seal({
    modelHash: modelHash('digits'),
    generation: 3,
    versionIndex: 0,
    arm: 'stable',
    routedAt: START + 10,
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
const newSlot = () => new LabelSlot(sealer, CONTROL_PARTITIONS, null);

function fold(log: LogBuilder, slot = newSlot()) {
  return slot.foldBatch(log.records, log.records.length, { directory, givenUp: new Set() });
}

/** The log until log time has passed the end of the stratum + the horizon. */
function closed(log: LogBuilder) {
  return fold(log.after(LABELS_WITHIN_MS + 3 * STRATA_MS).tick());
}

function shares(log: LogBuilder): LabelShare[] {
  return summariesOf(closed(log)).map((placed) => placed.summary as LabelShare);
}

describe('a label', () => {
  it('counts in the stratum that its prediction was routed in, for the arm and group that its id says', () => {
    const log = new LogBuilder()
      .json(label(id()))
      .json(label(id({ unit: 9 }), 8))
      .json(label(id({ arm: 'canary', versionIndex: 1 }), 'seven'));
    const [share] = shares(log);
    expect(share).toMatchObject({ kind: 'label-share', model: 'digits', generation: 3, stratum: STRATUM, strataMs: STRATA_MS }); // prettier-ignore
    expect(share!.stable).toMatchObject({ n: 2, wrong: 1 });
    expect([share!.stable.groupN[5], share!.stable.groupWrong[5], share!.stable.groupWrong[9]]).toEqual([1, 0, 1]);
    expect(share!.stable.groupN).toHaveLength(64);
    expect(share!.canary).toMatchObject({ n: 1, wrong: 1 });
  });

  it('belongs to the stratum of its bucket’s opening', () => {
    const log = new LogBuilder()
      .json(label(id({ routedAt: START + STRATA_MS + 99, sinceBucketMs: 100 })))
      .json(label(id({ routedAt: START + STRATA_MS + 100, sinceBucketMs: 100 })));
    expect(shares(log).map((s) => [s.stratum - STRATUM, s.stable.n])).toEqual([
      [0, 1],
      [1, 1],
    ]);
  });

  it('that comes twice counts once, and the first one counts', () => {
    const twice = id();
    const folded = closed(
      new LogBuilder()
        .json(label(twice))
        .json(label(twice, 8))
        .json(label(twice.replaceAll('-', '+').replaceAll('_', '/'), 8)),
    );
    expect(folded.counts).toMatchObject({ folded: 3, duplicates: 2 });
    expect((summariesOf(folded)[0]!.summary as LabelShare).stable).toMatchObject({ n: 1, wrong: 0 });
  });

  it('counts by the segment in its id, and with the numbers that custom checks want', () => {
    const withValues = (of: string, values: Record<string, number>, value: unknown = 7) => ({
      ...label(of, value),
      values,
    });
    const log = new LogBuilder()
      .json(withValues(id({ segment: 40 }), { revenue: 3, other: 1 }, 8))
      .json(withValues(id(), { revenue: 5 }))
      // Nobody can tell whether it is right; its numbers count all the same.
      .json(withValues(id({ valueKind: 'none', value: 0 }), { revenue: -1 }))
      .json(label(id()));
    const wanted: ModelEntry = {
      ...digits,
      counted: () => ({ labelsWithinMs: LABELS_WITHIN_MS, tolerance: 0, values: ['revenue'] }),
    };
    log.after(LABELS_WITHIN_MS + 3 * STRATA_MS).tick();
    const folded = newSlot().foldBatch(log.records, log.records.length, {
      directory: { model: () => wanted },
      givenUp: new Set(),
    });
    const { stable } = summariesOf(folded)[0]!.summary as LabelShare;
    expect(stable).toMatchObject({ n: 3, wrong: 1 });
    expect([...stable.segments!.keys]).toEqual([labelKey(40, 5, true)]);
    expect(stable.values).toMatchObject([{ name: 'revenue', n: 3, sum: 7, squares: 35 }]);
    expect(shares(new LogBuilder().json(withValues(id(), { revenue: 1 })))[0]!.stable).not.toHaveProperty('values');
  });

  it('sealed with an old key counts as any other', () => {
    const old = new PredictionIdSealer([OLD_KEY]);
    expect(shares(new LogBuilder().json(label(id({}, old))))[0]!.stable.n).toBe(1);
  });

  it.each([
    ['a class as a number', 7, 0],
    ['a class as a text', '7', 0],
    ['another class', 'cat', 1],
  ])('is compared by class: %s', (_, value, wrong) => {
    expect(shares(new LogBuilder().json(label(id(), value)))[0]!.stable).toMatchObject({ n: 1, wrong });
  });

  it.each([
    [4.35, 4.25, 0],
    [4.26, 4.36, 0],
    ['4.3', 4.25, 0],
    [4.4, 4.25, 1],
    [0, 0.100_01, 1],
  ])('is compared by number: %s against a predicted %s', (truth, value, wrong) => {
    const log = new LogBuilder().json(label(id({ valueKind: 'number', value }), truth));
    expect(shares(log)[0]!.stable).toMatchObject({ n: 1, wrong });
  });

  it.each([
    ['of a prediction that is no evidence', { counted: false }],
    ['of a generation without an accuracy check', { generation: 2 }],
    ['of a prediction nobody knows', { valueKind: 'none', value: 0 } as const],
  ])('%s does not count', (_, parts) => {
    const folded = closed(new LogBuilder().json(label(id(parts))));
    expect(folded.counts).toMatchObject({ folded: 1, uncounted: 1 });
    expect(summariesOf(folded)).toEqual([]);
    expect(folded.set.size).toBe(0);
  });

  it('is shown in the window of its routing time, counted or not', () => {
    const log = new LogBuilder().json(label(id())).json(label(id({ counted: false, versionIndex: 1 }), 1));
    const [window] = windowsShownBy(fold(log), T0);
    expect([...window!.versions].map(([version, f]) => [version, f.labelled, f.right])).toEqual([
      ['v1', 1, 1],
      ['v2', 1, 0],
    ]);
  });
});

describe('a stratum', () => {
  const endMs = START + STRATA_MS + LABELS_WITHIN_MS;

  it('becomes a share at the record with which log time passes its end and the horizon', () => {
    const log = new LogBuilder().json(label(id())).after(endMs - T0 - 1).tick().after(1).json(label(id())); // prettier-ignore
    const folded = fold(log);
    expect(summariesOf(folded).map((p) => [p.offset, p.index])).toEqual([[2, 0]]);
    expect(folded.counts).toMatchObject({ folded: 2, late: 1 });
    expect((summariesOf(folded)[0]!.summary as LabelShare).stable.n).toBe(1);
    expect(windowsShownBy(folded, endMs).at(-1)!.versions.get('v1')!.labelled).toBe(2);
  });

  it('that is closed leaves nothing behind, and later labels of it are late for ever', () => {
    const slot = newSlot();
    const log = new LogBuilder();
    for (let i = 0; i < 300; i++) log.json(label(id()));
    const open = fold(log, slot);
    expect([...open.set.keys()].map((field) => field.slice(0, 2))).toEqual(['s|', 't|', 't|', 't|']);
    log.after(endMs - T0).tick();
    const after = slot.foldBatch(log.records.slice(300), 301, { directory, givenUp: new Set() });
    expect([...after.deleted].sort()).toEqual([...open.set.keys()].sort());
    const late = new LogBuilder().after(endMs - T0 + 5).json(label(id()));
    expect(slot.foldBatch(late.records, 302, { directory, givenUp: new Set() }).counts.late).toBe(1);
  });

  it('closes with others in one order, whichever had the first label', () => {
    const at = (offset: number) => label(id({ routedAt: START + offset * STRATA_MS }));
    const order = (offsets: number[]) => {
      const log = new LogBuilder();
      for (const offset of offsets) log.json(at(offset));
      return summariesOf(fold(log.after(2 * LABELS_WITHIN_MS).tick())).map((p) => [
        p.index,
        (p.summary as LabelShare).stratum - STRATUM,
      ]);
    };
    expect(order([2, 0, 1])).toEqual([[0, 0], [1, 1], [2, 2]]); // prettier-ignore
    expect(order([0, 1, 2])).toEqual(order([2, 1, 0]));
  });
});

describe('a label of what is not known yet', () => {
  const newer = () => label(id({ generation: 4 }));

  it('waits, and what came before it is taken in', () => {
    const slot = newSlot();
    const log = new LogBuilder().json(label(id())).after(500).json(newer()).after(500).json(label(id()));
    const folded = fold(log, slot);
    expect(folded).toMatchObject({
      waitsFor: `${modelHash('digits')}|4`,
      position: 1,
      logTimeMs: T0,
      counts: { folded: 1 },
    });
    const known: GenerationDirectory = { model: () => ({ ...digits, generation: 4, counted: digits.counted }) };
    const rest = slot.foldBatch(log.records.slice(1), 3, { directory: known, givenUp: new Set() });
    expect(rest).toMatchObject({ waitsFor: null, position: 3, counts: { folded: 2, uncounted: 1 } });
  });

  it('is not counted, but shown, after it has waited in vain', () => {
    const givenUp = new Set([fold(new LogBuilder().json(newer())).waitsFor!]);
    const folded = newSlot().foldBatch(new LogBuilder().json(newer()).records, 1, { directory, givenUp });
    expect(folded).toMatchObject({ waitsFor: null, position: 1, counts: { folded: 1, uncounted: 1 } });
    expect(windowsShownBy(folded, T0)).toHaveLength(2);
  });

  it('goes to the dead letters after it has waited in vain for its model', () => {
    const log = new LogBuilder().json(label(id({ modelHash: modelHash('gone') })));
    const givenUp = new Set([fold(log).waitsFor!]);
    expect([...givenUp]).toEqual([`${modelHash('gone')}`]);
    const folded = newSlot().foldBatch(log.records, 1, { directory, givenUp });
    expect(folded.deadLetters).toMatchObject([{ offset: 0, cause: { code: 'unknown-model' } }]);
  });
});

describe('bad labels', () => {
  it('go to the dead letters with offset and cause, and the next one is processed', () => {
    const good = id();
    const log = new LogBuilder()
      .raw(null)
      .raw(Buffer.from('{'))
      .json({ label: 7 })
      .json(label(good, { deep: 1 }))
      .json(label(good.slice(0, 40)))
      .json(label(good.slice(0, 59) + (good.endsWith('A') ? 'B' : 'A')))
      .json(label(id({}, new PredictionIdSealer([{ number: 9, secret: Buffer.alloc(32, 9) }]))))
      .json(label(id({ versionIndex: 7 })))
      .json(label(id({ valueKind: 'number', value: 1 }), 'many'))
      .json(label(id({ valueKind: 'number', value: 1 }), true))
      .raw(Buffer.alloc(900_000, 0x61))
      .tick()
      .json(label(good));
    const folded = fold(log);
    expect(folded.deadLetters.map((d) => [d.offset, d.cause.code])).toEqual([
      [0, 'tombstone'],
      [1, 'not-json'],
      [2, 'wrong-type'],
      [3, 'wrong-type'],
      [4, 'malformed-prediction-id'],
      [5, 'forged-prediction-id'],
      [6, 'unknown-prediction-id-key'],
      [7, 'unknown-version'],
      [8, 'label-not-a-number'],
      [9, 'label-not-a-number'],
      [10, 'too-long'],
    ]);
    expect(folded.counts.folded).toBe(1);
  });
});
