import { packWindow, emptyFigures, type WindowReader } from '@app/shared';
import { beforeEach, expect, it } from 'vitest';
import { NO_CELLS, type PlacedSummary } from '../domain/summary.js';
import type { SlotChange, SlotId, SlotStore } from './slot-store.js';

export interface SlotStoreUnderTest {
  readonly store: SlotStore;
  readonly windows: WindowReader;
}

const SLOT: SlotId = { kind: 'outcome', partition: 7 };
const OTHER: SlotId = { kind: 'label', partition: 7 };

/** What every slot store does: the contract between owners of partitions and owners of models. */
export function slotStoreSuite(make: () => Promise<SlotStoreUnderTest>): void {
  let store: SlotStore;
  let windows: WindowReader;

  beforeEach(async () => {
    ({ store, windows } = await make());
  });

  it('has no slot before the first change', async () => {
    expect(await store.load(SLOT)).toBeNull();
    expect(await store.loadWhole(SLOT)).toBeNull();
    expect(await store.readForOwner(SLOT, 0, 0)).toBeNull();
    await store.trim(SLOT, 0, 5);
    expect(await store.load(SLOT)).toBeNull();
  });

  it('gives back what was applied, and keeps slots apart', async () => {
    expect(await store.apply(SLOT, change(null, 10, { set: { a: 'one', b: '\u0000ÿ' } }))).toBe('applied');
    expect(await store.apply(SLOT, change(10, 20, { set: { a: 'two', c: 'x' }, deleted: ['b'] }))).toBe('applied');
    const image = await store.load(SLOT);
    expect(image?.position).toBe(20);
    expect(image?.logTimeMs).toBe(20_000);
    expect(texts(image!.fields)).toEqual({ a: 'two', c: 'x' });
    expect(await store.load(OTHER)).toBeNull();
  });

  it('changes nothing when the position is another one', async () => {
    await store.apply(SLOT, change(null, 10, { set: { a: 'one' } }));
    for (const expected of [null, 9, 11]) {
      const moved = change(expected, 99, { set: { a: 'zombie' }, summaries: [leftOut(50, 0)] });
      expect(await store.apply(SLOT, moved)).toBe('moved');
    }
    expect(texts((await store.load(SLOT))!.fields)).toEqual({ a: 'one' });
    expect((await store.readForOwner(SLOT, 1, 0))?.summaries).toEqual([]);
    expect(await store.apply(OTHER, change(3, 4, {}))).toBe('moved');
    expect(await store.load(OTHER)).toBeNull();
  });

  it('takes thousands of fields and summaries in one change', async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => [`field-${i}`, String(i)] as const);
    const summaries = Array.from({ length: 3_000 }, (_, i) => leftOut(Math.floor(i / 3), i % 3));
    await store.apply(SLOT, change(null, 1_000, { set: Object.fromEntries(many), summaries }));
    expect((await store.load(SLOT))?.fields.size).toBe(5_000);
    expect((await store.readForOwner(SLOT, 1, 0))?.summaries).toEqual(summaries);
    await store.apply(SLOT, change(1_000, 1_001, { deleted: many.slice(1).map(([field]) => field) }));
    expect((await store.load(SLOT))?.fields.size).toBe(1);
  });

  it('gives an owner its summaries from an offset on, in order, the first offset included', async () => {
    const first = [bucket(0, 0), leftOut(0, 1), leftOut(4, 0)];
    await store.apply(SLOT, change(null, 5, { summaries: first }));
    await store.apply(SLOT, change(5, 12, { summaries: [labelShare(11, 0)], owner: 2 }));
    await store.apply(SLOT, change(12, 13, { summaries: [leftOut(12, 0), leftOut(12, 1)] }));
    const view = await store.readForOwner(SLOT, 1, 0);
    expect(view).toEqual({
      position: 13,
      logTimeMs: 13_000,
      trimmedTo: 0,
      summaries: [...first, leftOut(12, 0), leftOut(12, 1)],
    });
    expect((await store.readForOwner(SLOT, 1, 4))?.summaries.map((s) => s.offset)).toEqual([4, 12, 12]);
    expect((await store.readForOwner(SLOT, 1, 13))?.summaries).toEqual([]);
    const [mine, missing] = await store.readAllForOwner(2, [
      { slot: SLOT, from: 0 },
      { slot: OTHER, from: 0 },
    ]);
    expect(mine?.summaries).toEqual([labelShare(11, 0)]);
    expect(missing).toBeNull();
  });

  it('trims one owner’s summaries, remembers how far and never goes backwards', async () => {
    await store.apply(SLOT, change(null, 5, { summaries: [leftOut(1, 0), leftOut(3, 0), leftOut(4, 0)] }));
    await store.apply(SLOT, change(5, 6, { summaries: [leftOut(5, 0)], owner: 2 }));
    await store.trim(SLOT, 1, 4);
    await store.trim(SLOT, 1, 2);
    const view = await store.readForOwner(SLOT, 1, 0);
    expect(view?.trimmedTo).toBe(4);
    expect(view?.summaries.map((s) => s.offset)).toEqual([4]);
    const other = await store.readForOwner(SLOT, 2, 0);
    expect([other?.trimmedTo, other?.summaries.length]).toEqual([0, 1]);
    expect(texts((await store.load(SLOT))!.fields)).toEqual({});
  });

  it('trims in the middle of what one change brought', async () => {
    const summaries = [bucket(1, 0), bucket(3, 0), bucket(3, 1), leftOut(4, 0)];
    await store.apply(SLOT, change(null, 5, { summaries }));
    await store.apply(SLOT, change(5, 8, { summaries: [bucket(6, 0)] }));
    await store.trim(SLOT, 1, 4);
    expect((await store.readForOwner(SLOT, 1, 0))?.summaries.map((s) => s.offset)).toEqual([4, 6]);
    expect((await store.loadWhole(SLOT))?.owners.get(1)?.summaries.map((s) => s.offset)).toEqual([4, 6]);
    await store.trim(SLOT, 1, 5);
    expect((await store.readForOwner(SLOT, 1, 0))?.summaries).toEqual([bucket(6, 0)]);
  });

  it('restores a whole slot that is missing or older, never one that has come as far', async () => {
    await store.apply(SLOT, change(null, 10, { set: { a: 'one' }, summaries: [leftOut(2, 0), bucket(9, 0)] }));
    await store.trim(SLOT, 1, 3);
    const whole = (await store.loadWhole(SLOT))!;
    expect(whole.owners.get(1)).toEqual({ trimmedTo: 3, summaries: [bucket(9, 0)] });
    expect(await store.restore(SLOT, whole)).toBe('newer-found');
    await store.apply(SLOT, change(10, 20, { set: { b: 'two' } }));
    expect(await store.restore(SLOT, whole)).toBe('newer-found');

    expect(await store.restore(OTHER, whole)).toBe('restored');
    expect(await store.loadWhole(OTHER)).toEqual(whole);
    expect(await store.apply(OTHER, change(10, 11, { summaries: [leftOut(10, 0)] }))).toBe('applied');

    const later = { ...whole, image: { ...whole.image, position: 15 } };
    expect(await store.restore(OTHER, later)).toBe('restored');
    expect(await store.loadWhole(OTHER)).toEqual(later);
    expect(await store.apply(OTHER, change(15, 16, { summaries: [leftOut(15, 0)] }))).toBe('applied');
  });

  it('keeps windows in step with the position, and readers add them up over the slots', async () => {
    const id = { resolution: '10s', startMs: 20_000, model: 'digits' } as const;
    const value = (routed: number) => packWindow(new Map([['v1', { ...emptyFigures(), routed }]]));
    await store.apply(SLOT, change(null, 1, { windows: [{ id, value: value(5) }] }));
    await store.apply(SLOT, change(1, 2, { windows: [{ id, value: value(7) }] }));
    await store.apply(SLOT, change(1, 2, { windows: [{ id, value: value(99) }] }));
    await store.apply(OTHER, change(null, 1, { windows: [{ id, value: value(2) }] }));
    expect(await store.readWindows(SLOT, [{ ...id, startMs: 0 }, id])).toEqual([null, value(7)]);
    const read = await windows.read('digits', { resolution: '10s', fromMs: 0, toMs: 60_000 });
    expect(read.map((w) => [w.startMs, w.versions.get('v1')?.routed])).toEqual([[20_000, 9]]);
    expect(await windows.read('unknown', { resolution: '10s', fromMs: 0, toMs: 60_000 })).toEqual([]);
  });

  it('keeps in order what waits for the windows, in step with the position, until it is dropped', async () => {
    const wait = (text: string) => ({ waiting: { add: Buffer.from(text), drop: false } });
    const waiting = async () => (await store.readWaiting(SLOT)).map(String);
    expect(await waiting()).toEqual([]);
    await store.apply(SLOT, change(null, 1, wait('one')));
    await store.apply(SLOT, change(1, 2, wait('two')));
    await store.apply(SLOT, change(1, 2, wait('zombie')));
    await store.apply(SLOT, change(2, 3, {}));
    expect(await waiting()).toEqual(['one', 'two']);
    await store.apply(SLOT, change(3, 4, { waiting: { add: Buffer.from('three'), drop: true } }));
    expect(await waiting()).toEqual(['three']);
    const whole = (await store.loadWhole(SLOT))!;
    expect(await store.restore(SLOT, { ...whole, image: { ...whole.image, position: 9 } })).toBe('restored');
    expect(await waiting()).toEqual([]);
  });
}

interface ChangeParts {
  readonly set?: Record<string, string>;
  readonly deleted?: readonly string[];
  readonly summaries?: readonly PlacedSummary[];
  readonly owner?: number;
  readonly windows?: SlotChange['windows'];
  readonly waiting?: SlotChange['waiting'];
}

function change(expectedPosition: number | null, position: number, parts: ChangeParts): SlotChange {
  return {
    expectedPosition,
    position,
    logTimeMs: position * 1000,
    set: new Map(Object.entries(parts.set ?? {}).map(([field, text]) => [field, Buffer.from(text)])),
    deleted: parts.deleted ?? [],
    summaries: new Map(parts.summaries ? [[parts.owner ?? 1, parts.summaries]] : []),
    ...(parts.windows ? { windows: parts.windows } : {}),
    ...(parts.waiting ? { waiting: parts.waiting } : {}),
  };
}

const texts = (fields: ReadonlyMap<string, Buffer>): Record<string, string> =>
  Object.fromEntries([...fields].map(([field, value]) => [field, value.toString()]));

function leftOut(offset: number, index: number): PlacedSummary {
  const head = { kind: 'left-out', model: 'digits', generation: 3, router: 'r-1', bucket: offset } as const;
  return { offset, index, summary: { ...head, routedFrom: 1000, cause: 'lost', routed: { v1: 9, v2: 1 } } };
}

function bucket(offset: number, index: number): PlacedSummary {
  const cells = { keys: [265, 8192], counts: [8, 1] };
  const v1 = { routed: 10, intended: 10, pending: 1, cells, firstByte: cells };
  const v2 = { routed: 1, intended: 0, pending: 1, cells: NO_CELLS, firstByte: NO_CELLS };
  const head = { kind: 'bucket', model: 'digits', generation: 3, router: 'r-1', bucket: offset } as const;
  const times = { routedFrom: 1_000, routedTo: 1_100, ageMs: 50.25, previousAgeMs: 0, final: false };
  return { offset, index, summary: { ...head, ...times, versions: { v1, v2 } } };
}

function labelShare(offset: number, index: number): PlacedSummary {
  const arm = (n: number) => ({ n, wrong: 1, groupN: groups(n), groupWrong: groups(1) });
  const head = { kind: 'label-share', model: 'digits', generation: 3, stratum: 77, strataMs: 1500 } as const;
  return { offset, index, summary: { ...head, stable: arm(40), canary: arm(300) } };
}

const groups = (first: number): number[] => Array.from({ length: 64 }, (_, g) => (g === 0 ? first : 0));
