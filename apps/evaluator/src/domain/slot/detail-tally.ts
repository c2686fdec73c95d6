import { segmentOf } from '@app/shared';
import { type ArmDetails, predictionKey } from '../arm-details.js';
import { CellCounter } from './cell-counter.js';
import type { SlotOutcome } from './outcome-decoder.js';
import { ValueTallies } from './value-tally.js';

/** Bins whose prediction is remembered, per bucket and arm, and how much of it: for people to read. */
const BIN_NAMES_MAX = 32;
const BIN_NAME_LENGTH_MAX = 40;

interface SegmentTally {
  readonly name: string;
  readonly cells: CellCounter;
}

/** Whether an outcome says anything that only some rollouts ask for. */
export function hasDetails({ values, segment, predictionBin }: SlotOutcome): boolean {
  return values !== undefined || segment !== undefined || predictionBin !== undefined;
}

/**
 * Counts what only some rollouts ask of one arm's outcomes. Bounded whatever comes: 8 names of values, 64 segments, and
 * no more cells than outcomes. What is counted of an outcome never depends on those before it.
 */
export class DetailTally {
  private values = new ValueTallies();
  private readonly segments = new Map<number, SegmentTally>();
  private predictions: CellCounter | null = null;
  private readonly binNames = new Map<number, string>();

  /** `key`: the outcome's cell. */
  add(outcome: SlotOutcome, key: number): void {
    const { values, segment, predictionBin, prediction, unit } = outcome;
    if (values !== undefined) this.values.add(values, unit);
    if (segment !== undefined) this.segmentOf(segment).cells.add(key);
    if (predictionBin === undefined) return;
    this.predictions ??= new CellCounter();
    this.predictions.add(predictionKey(unit, predictionBin));
    if (prediction === undefined || this.binNames.size >= BIN_NAMES_MAX || this.binNames.has(predictionBin)) return;
    this.binNames.set(predictionBin, String(prediction).slice(0, BIN_NAME_LENGTH_MAX));
  }

  details(): ArmDetails {
    const segments = [...this.segments]
      .sort(([a], [b]) => a - b)
      .map(([segment, { name, cells }]) => ({ segment, name, cells: cells.cells() }));
    const predictions = this.predictions && { cells: this.predictions.cells(), names: new Map(this.binNames) };
    return { values: this.values.sums(), segments, predictions };
  }

  /** What details() gave, to go on from. */
  static of({ values, segments, predictions }: ArmDetails): DetailTally {
    const tally = new DetailTally();
    tally.values = ValueTallies.of(values);
    for (const { segment, name, cells } of segments)
      tally.segments.set(segment, { name, cells: CellCounter.of(cells) });
    if (predictions) {
      tally.predictions = CellCounter.of(predictions.cells);
      for (const [bin, name] of predictions.names) tally.binNames.set(bin, name);
    }
    return tally;
  }

  private segmentOf(name: string): SegmentTally {
    const number = segmentOf(name);
    let tally = this.segments.get(number);
    if (!tally) {
      tally = { name, cells: new CellCounter() };
      this.segments.set(number, tally);
    }
    return tally;
  }
}
