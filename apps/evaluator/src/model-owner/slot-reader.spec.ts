import { silentLogger } from '@app/shared';
import { describe, expect, it } from 'vitest';
import type { CutFront } from '../domain/cut/slot-view.js';
import type { SlotRead, SlotStore } from '../slot-store/slot-store.js';
import { SlotReader } from './slot-reader.js';

const frontAt = (position: number): CutFront => ({ positions: [position, 0], logTimesMs: [-1, -1] });

describe('waiting for slots to come to a cut', () => {
  it('reads summaries once, when all of them are there', async () => {
    const asked: number[] = [];
    let position = 0;
    const slotStore = {
      readAllForOwner: (_owner: number, reads: readonly SlotRead[]) => {
        asked.push(reads[0]!.from);
        position += 10;
        const view = { position, logTimeMs: 1, trimmedTo: 0, summaries: [] };
        return Promise.resolve(reads.map(() => view));
      },
    } as Partial<SlotStore> as SlotStore;
    const clock = { nowMs: () => 0, monotonicMs: () => 0 };
    const slotCounts = { outcome: 1, label: 1 };
    const reader = new SlotReader(
      { slotStore, slotCounts, sleep: async () => undefined, clock, logger: silentLogger },
      0,
    );
    await reader.readUpTo(frontAt(5), frontAt(35), new AbortController().signal);
    const beyondAll = Number.MAX_SAFE_INTEGER;
    expect(asked).toEqual([beyondAll, beyondAll, beyondAll, beyondAll, 5]);
  });
});
