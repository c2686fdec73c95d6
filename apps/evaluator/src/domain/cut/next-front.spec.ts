import { describe, expect, it } from 'vitest';
import { aBucket, placed } from '../../testing/builders.js';
import type { PlacedSummary } from '../summary.js';
import { nextFront, NO_STOPS, type Stops, summariesBetween, UNKNOWN_GENERATION_WAIT_MS } from './next-front.js';
import type { CutFront, SlotView } from './slot-view.js';

const front = (positions: number[], logTimesMs: number[]): CutFront => ({ positions, logTimesMs });
const view = (position: number, logTimeMs: number, summaries: readonly PlacedSummary[] = []): SlotView => ({
  position,
  logTimeMs,
  trimmedTo: 0,
  summaries,
});
const next = (from: CutFront, views: readonly (SlotView | null)[], known: Record<string, number>, stops = NO_STOPS) =>
  nextFront({ front: from, views, stops, knownGeneration: (model) => known[model] ?? -1 });

describe('the front of the next cut', () => {
  it('goes to where every slot is', () => {
    const cut = next(front([0, 5], [-1, 100]), [view(7, 300), view(9, 200)], {});
    expect(cut.front).toEqual(front([7, 9], [300, 200]));
    expect(cut.moved).toBe(true);
  });

  it('never goes backwards, and leaves a slot that cannot be read where it was', () => {
    const cut = next(front([7, 9], [300, 200]), [view(4, 250), null], {});
    expect(cut.front).toEqual(front([7, 9], [300, 200]));
    expect(cut.moved).toBe(false);
  });

  it('moves when only log time has gone on', () => {
    expect(next(front([7], [300]), [view(7, 800)], {}).moved).toBe(true);
  });

  it('stops before the first bucket of a generation nobody has told of, and keeps the log time it had', () => {
    const summaries = [
      placed(3, aBucket('fraud', 1, 0)),
      placed(5, aBucket('fraud', 2, 1)),
      placed(6, aBucket('fraud', 1, 2)),
    ];
    const cut = next(front([0], [100]), [view(8, 900, summaries)], { fraud: 1 });
    expect(cut.front).toEqual(front([5], [100]));
    const told = next(cut.front, [view(8, 900, summaries)], { fraud: 2 }, cut.stops);
    expect(told.front).toEqual(front([8], [900]));
    expect(told.stops.sinceLogTimeMs.size).toBe(0);
  });

  it('waits for a generation for at most 10 s of log time, and does not wait for it again', () => {
    const stranger = [placed(2, aBucket('stranger', 4, 0))];
    let cut = next(front([0], [0]), [view(5, 1_000, stranger)], {});
    expect(cut.front.positions).toEqual([2]);
    cut = next(cut.front, [view(50, 1_000 + UNKNOWN_GENERATION_WAIT_MS - 1, stranger)], {}, cut.stops);
    expect(cut.front.positions).toEqual([2]);
    cut = next(cut.front, [view(60, 1_000 + UNKNOWN_GENERATION_WAIT_MS, stranger)], {}, cut.stops);
    expect(cut.front.positions).toEqual([60]);
    const again = [placed(61, aBucket('stranger', 4, 1))];
    cut = next(cut.front, [view(70, 99_000, again)], {}, cut.stops);
    expect(cut.front.positions).toEqual([70]);
    const newer = [placed(71, aBucket('stranger', 5, 2))];
    expect(next(cut.front, [view(80, 99_500, newer)], {}, cut.stops).front.positions).toEqual([71]);
  });

  it('lets one stopped slot hold up no other', () => {
    const views = [view(9, 900, [placed(1, aBucket('fraud', 2, 0))]), view(4, 800)];
    expect(next(front([0, 0], [-1, -1]), views, { fraud: 1 }).front).toEqual(front([1, 4], [-1, 800]));
  });

  it('remembers a bounded number of strangers', () => {
    let stops: Stops = NO_STOPS;
    let from = front([0], [0]);
    for (let i = 0; i < 1_010; i++) {
      const strange = [placed(i, aBucket(`stranger-${i}`, 1, 0))];
      const wait = next(from, [view(i + 1, i * 20_000, strange)], {}, stops);
      const go = next(wait.front, [view(i + 1, i * 20_000 + 10_000, strange)], {}, wait.stops);
      ({ front: from, stops } = go);
    }
    expect(from.positions).toEqual([1_010]);
    expect(stops.givenUp.size).toBe(1_000);
  });
});

describe('the order of folding', () => {
  it('is slot, offset, number at the offset; from the old front to below the new one', () => {
    const at = (offset: number, bucket: number, index = 0) => placed(offset, aBucket('fraud', 1, bucket), index);
    const views = [
      view(9, 0, [at(1, 10), at(4, 11), at(4, 12, 1), at(8, 13)]),
      null,
      view(3, 0, [at(0, 20), at(2, 21)]),
    ];
    const folded = [...summariesBetween(front([4, 0, 0], []), front([8, 0, 2], []), views)];
    expect(folded.map(({ summary }) => (summary.kind === 'bucket' ? summary.bucket : null))).toEqual([11, 12, 20]);
  });
});
