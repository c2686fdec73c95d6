import type { PlacedSummary } from '../summary.js';
import type { CutFront, SlotView } from './slot-view.js';

/** Longest time, in log time of the slot, that a cut waits before a generation nobody has told it of. */
export const UNKNOWN_GENERATION_WAIT_MS = 10_000;
/** Models whose unknown generations are remembered as given up; the oldest go first. */
const GIVEN_UP_MAX = 1_000;

/** What the owner remembers of slots that stop before a generation it has not read of. */
export interface Stops {
  /** Log time at which a slot began to wait, by slot. */
  readonly sinceLogTimeMs: ReadonlyMap<number, number>;
  /** Highest generation by model that is not waited for any more. */
  readonly givenUp: ReadonlyMap<string, number>;
}

export const NO_STOPS: Stops = { sinceLogTimeMs: new Map(), givenUp: new Map() };

export interface NextFront {
  readonly front: CutFront;
  readonly stops: Stops;
  /** Whether a position or a log time is another one than before. */
  readonly moved: boolean;
}

/**
 * Where the next cut goes: for each slot to where the slot is, but never backwards, not at all for a slot that cannot be
 * read (null), and not beyond the first summary of a generation that the owner has not read of, for at most 10 s of log
 * time. What it decides needs no repeating: the cut record tells it.
 *
 * A stopped slot keeps its log time: that of its later records would say that everything before them is folded.
 *
 * @param knownGeneration highest generation of a model that the owner's plans tell of; -1 for a model it does not know.
 */
export function nextFront(input: {
  readonly front: CutFront;
  readonly views: readonly (SlotView | null)[];
  readonly stops: Stops;
  readonly knownGeneration: (model: string) => number;
}): NextFront {
  const positions = [...input.front.positions];
  const logTimesMs = [...input.front.logTimesMs];
  const since = new Map(input.stops.sinceLogTimeMs);
  const givenUp = new Map(input.stops.givenUp);
  const isUnknown = ({ summary }: PlacedSummary): boolean =>
    summary.kind !== 'missed' &&
    summary.generation > Math.max(input.knownGeneration(summary.model), givenUp.get(summary.model) ?? -1);

  input.views.forEach((view, slot) => {
    const from = positions[slot]!;
    if (!view || view.position < from) return;
    const stop = view.summaries.find((placed) => placed.offset >= from && isUnknown(placed));
    if (stop) {
      const sinceMs = since.get(slot) ?? view.logTimeMs;
      if (view.logTimeMs - sinceMs < UNKNOWN_GENERATION_WAIT_MS) {
        since.set(slot, sinceMs);
        positions[slot] = Math.max(from, stop.offset);
        return;
      }
      for (const placed of view.summaries) if (isUnknown(placed)) giveUp(givenUp, placed);
    }
    since.delete(slot);
    positions[slot] = view.position;
    logTimesMs[slot] = Math.max(logTimesMs[slot]!, view.logTimeMs);
  });

  const moved = positions.some(
    (position, slot) => position !== input.front.positions[slot] || logTimesMs[slot] !== input.front.logTimesMs[slot],
  );
  return { front: { positions, logTimesMs }, stops: { sinceLogTimeMs: since, givenUp }, moved };
}

function giveUp(givenUp: Map<string, number>, { summary }: PlacedSummary): void {
  const highest = Math.max(givenUp.get(summary.model) ?? -1, summary.generation);
  givenUp.delete(summary.model);
  givenUp.set(summary.model, highest);
  if (givenUp.size > GIVEN_UP_MAX) givenUp.delete(givenUp.keys().next().value!);
}

/** The summaries between two fronts in the order of folding: slot, offset, number at the offset. */
export function* summariesBetween(
  from: CutFront,
  to: CutFront,
  views: readonly (SlotView | null)[],
): Generator<PlacedSummary> {
  for (const [slot, view] of views.entries()) {
    if (!view) continue;
    const low = from.positions[slot]!;
    const high = to.positions[slot]!;
    for (const placed of view.summaries) if (placed.offset >= low && placed.offset < high) yield placed;
  }
}
