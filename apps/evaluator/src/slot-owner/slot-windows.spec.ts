import { ManualClock } from '@app/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FoldedBatch } from '../domain/slot/folded-batch.js';
import { noCounts } from '../domain/slot/folded-batch.js';
import { WindowDeltas } from '../domain/window-deltas.js';
import { MemorySlotStore } from '../slot-store/memory-slot-store.js';
import type { SlotId } from '../slot-store/slot-store.js';
import { SlotWindows } from './slot-windows.js';

const SLOT: SlotId = { kind: 'outcome', partition: 3 };
const NOW_MS = 1_700_000_000_000;

let store: MemorySlotStore;
let clock: ManualClock;
let deltas: WindowDeltas;
let position: number;

beforeEach(() => {
  store = new MemorySlotStore();
  clock = new ManualClock(NOW_MS);
  deltas = new WindowDeltas();
  position = 0;
});

/** A batch with one outcome of each of these models. */
function batch(models: readonly string[]): FoldedBatch {
  for (const model of models) deltas.addRouted(deltas.at(model, 'v1', NOW_MS, NOW_MS), false);
  const nothing = { set: new Map(), deleted: [], summaries: new Map(), deadLetters: [], counts: noCounts() };
  return { ...nothing, ...deltas.take(), position: position + 1, logTimeMs: NOW_MS };
}

/** As the keeper does it; `lost`: the store does not get it. */
async function take(windows: SlotWindows, models: readonly string[], lost = false): Promise<void> {
  const folded = batch(models);
  const change = await windows.add(folded);
  if (lost) return;
  const expectedPosition = position === 0 ? null : position;
  expect(await store.apply(SLOT, { ...folded, ...change, expectedPosition })).toBe('applied');
  position++;
}

/** Outcomes that the windows show of a model, by resolution; the store has nothing else of it but what waits. */
async function shown(model = 'm'): Promise<number[]> {
  const range = { fromMs: 0, toMs: NOW_MS + 60_000 };
  const windows = await Promise.all(
    (['10s', '1m'] as const).map((resolution) => store.windows.read(model, { ...range, resolution })),
  );
  return windows.map((list) => list.reduce((sum, { versions }) => sum + versions.get('v1')!.routed, 0));
}
const waiting = async (): Promise<number> => (await store.readWaiting(SLOT)).length;
const anew = async (): Promise<SlotWindows> => {
  const windows = new SlotWindows({ store, slot: SLOT, clock });
  windows.open(await store.readWaiting(SLOT));
  return windows;
};

describe('the windows of a slot', () => {
  it('show a first batch at once, and what comes after it a second later, once', async () => {
    const windows = await anew();
    await take(windows, ['m']);
    expect([await shown(), await waiting()]).toEqual([[1, 1], 0]);
    await take(windows, ['m']);
    await take(windows, ['m', 'm']);
    expect([await shown(), await waiting()]).toEqual([[1, 1], 2]);
    clock.advance(1_000);
    await take(windows, []);
    expect([await shown(), await waiting()]).toEqual([[4, 4], 0]);
  });

  it('are written the less often the more there are of them, and after ten seconds at the latest', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `model-${i}`);
    const windows = await anew();
    await take(windows, many);
    for (const [afterMs, expected] of [
      [1_000, 1],
      [1_900, 1],
      [200, 4],
      [500, 4],
    ] as const) {
      // prettier-ignore
      clock.advance(afterMs);
      await take(windows, many);
      expect(await shown('model-7')).toEqual([expected, expected]);
    }
    const most = Array.from({ length: 5_000 }, (_, i) => `model-${i}`);
    await take(windows, most);
    clock.advance(9_000);
    await take(windows, []);
    expect(await shown('model-7')).toEqual([4, 4]);
    clock.advance(600);
    await take(windows, []);
    expect(await shown('model-7')).toEqual([6, 6]);
  });

  it('lose and double nothing when another owner goes on from what waits', async () => {
    const first = await anew();
    await take(first, ['m']);
    await take(first, ['m']);
    await take(first, ['m'], true);
    const second = await anew();
    await take(second, ['m']);
    expect([await shown(), await waiting()]).toEqual([[3, 3], 0]);
    await take(second, ['m']);
    clock.advance(1_000);
    await take(second, ['m'], true);
    const third = await anew();
    await take(third, ['m']);
    expect([await shown(), await waiting()]).toEqual([[5, 5], 0]);
  });

  it('go on from what the store has of them', async () => {
    await take(await anew(), ['m']);
    await take(await anew(), ['m']);
    expect(await shown()).toEqual([2, 2]);
  });

  it('wait in memory and in the store for so many bytes only', async () => {
    const windows = await anew();
    const many = Array.from({ length: 5_000 }, (_, i) => `a model with quite a long name of its own ${i}`);
    await take(windows, many);
    let most = 0;
    for (let i = 0; i < 30; i++) {
      await take(windows, many);
      most = Math.max(most, await waiting());
    }
    expect(most).toBeLessThan(5);
  });
});
