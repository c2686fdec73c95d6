import {
  PackReader,
  PackWriter,
  RESOLUTION_LAYOUT,
  type Resolution,
  RESOLUTIONS,
  skipWindow,
  type WindowId,
  windowStartMs,
} from '@app/shared';
import { DeltaColumns, NONE, RowColumns } from './delta-columns.js';
import { RowBins } from './row-bins.js';

/** Router clocks may run ahead; a window further in the future than this is nonsense and would never expire in time. */
const FUTURE_MS_MAX = 60_000;
const FINEST: Resolution = '10s';
const FINEST_MS = RESOLUTION_LAYOUT[FINEST].windowMs;
/** Models whose places are kept from batch to batch, because they mostly come again. */
const MODELS_MAX = 10_000;

/** What one batch adds to a model's window of the finest resolution. */
export interface WindowDelta {
  readonly model: string;
  readonly startMs: number;
  /** As packWindow() makes it. */
  readonly packed: Buffer;
}

export interface ModelVersion {
  readonly model: string;
  readonly version: string;
}

/** Place of one version's figures in a delta of a batch: WindowDeltas.at() gives it, to be added to. */
export type WindowRow = number;
export const NO_ROW: WindowRow = NONE;

/** Where a model's deltas are found, and a version's rows. What is of another batch than `batch` is over. */
interface ModelPlace {
  batch: number;
  /** The newest of its deltas, from which the others follow. */
  delta: number;
  readonly versions: Map<string, VersionPlace>;
}
interface VersionPlace extends ModelVersion {
  readonly of: ModelPlace;
  batch: number;
  /** The newest of its rows, from which the others follow. */
  row: number;
}

/**
 * Collects what batches add to the windows of their partition. It counts in the finest windows alone; the wider ones are
 * added up from them where windows are stored. With thousands of models nearly every outcome has a row of its own: rows
 * and deltas are numbers into columns that are used again in each batch, for as objects they would outlive the batch.
 */
export class WindowDeltas {
  private readonly places = new Map<string, ModelPlace>();
  private last: VersionPlace | null = null;
  private batch = 0;
  private versions: VersionPlace[] = [];
  /** The first row of this batch: rows are numbered on and on, so that one of a batch before is told from those of this. */
  private firstRow = 0;
  private readonly rows = new RowColumns();
  private readonly deltas = new DeltaColumns();
  private readonly latencies = new RowBins();
  private readonly labelDelays = new RowBins();
  private readonly writer = new PackWriter();

  /** The row of the window a time falls in; NO_ROW if nobody can look at it any more, or not yet. */
  at(model: string, version: string, timeMs: number, logTimeMs: number): WindowRow {
    const startMs = windowStartMs(FINEST, timeMs);
    if (startMs > logTimeMs + FUTURE_MS_MAX || !isKept('1m', startMs, logTimeMs)) return NO_ROW;
    const { last, rows } = this;
    const place = last?.version === version && last.model === model ? last : this.placeOf(model, version);
    let row = place.row;
    while (row !== NONE && rows.startMs[row] !== startMs) row = rows.next[row]!;
    return this.firstRow + (row === NONE ? this.newRow(place, startMs) : row);
  }

  /** Whether a row that at() gave some time is still the one for this time. */
  isOf(row: WindowRow, timeMs: number): boolean {
    if (row < this.firstRow) return false;
    const startMs = this.rows.startMs[row - this.firstRow]!;
    return timeMs >= startMs && timeMs < startMs + FINEST_MS;
  }

  /** Counts a prediction in a row of this batch. */
  addRouted(row: WindowRow, isError: boolean): void {
    this.rows.routed[row - this.firstRow]!++;
    if (isError) this.rows.errors[row - this.firstRow]!++;
  }

  /** Counts a latency by its bin. */
  addLatency(row: WindowRow, bin: number): void {
    this.latencies.add(row - this.firstRow, bin);
  }

  /** Counts a label, and by its labelDelayBin how late it came. */
  addLabel(row: WindowRow, isRight: boolean, delayBin: number): void {
    this.rows.labelled[row - this.firstRow]!++;
    if (isRight) this.rows.right[row - this.firstRow]!++;
    this.labelDelays.add(row - this.firstRow, delayBin);
  }

  /**
   * What was counted since the last time, packed (null: nothing), and every model and version that was, in the order in
   * which they came; a version is the same object each time, as long as it comes often.
   */
  take(): { readonly figures: Buffer | null; readonly versions: readonly ModelVersion[] } {
    const taken = { figures: this.pack(), versions: this.versions };
    this.versions = [];
    this.firstRow += this.rows.length;
    this.rows.clear();
    this.deltas.clear();
    this.latencies.clear();
    this.labelDelays.clear();
    this.batch++;
    this.last = null;
    if (this.places.size > MODELS_MAX) this.places.clear();
    return taken;
  }

  private placeOf(model: string, version: string): VersionPlace {
    let of = this.places.get(model);
    if (!of) {
      of = { batch: NONE, delta: NONE, versions: new Map<string, VersionPlace>() };
      this.places.set(model, of);
    }
    let place = of.versions.get(version);
    if (!place) {
      place = { model, version, of, batch: NONE, row: NONE };
      of.versions.set(version, place);
    }
    if (place.batch !== this.batch) {
      place.batch = this.batch;
      place.row = NONE;
      this.versions.push(place);
    }
    this.last = place;
    return place;
  }

  private newRow(place: VersionPlace, startMs: number): number {
    const { rows, deltas } = this;
    const delta = this.deltaOf(place.of, place.model, startMs);
    const row = rows.add(place.version, startMs, place.row);
    place.row = row;
    deltas.addRow(delta, row, rows);
    return row;
  }

  private deltaOf(place: ModelPlace, model: string, startMs: number): number {
    const { deltas } = this;
    if (place.batch !== this.batch) {
      place.batch = this.batch;
      place.delta = NONE;
    }
    let delta = place.delta;
    while (delta !== NONE && deltas.startMs[delta] !== startMs) delta = deltas.next[delta]!;
    if (delta !== NONE) return delta;
    place.delta = deltas.add(model, startMs, place.delta);
    return place.delta;
  }

  private pack(): Buffer | null {
    const { writer, deltas, rows } = this;
    if (deltas.length === 0) return null;
    this.latencies.sort();
    this.labelDelays.sort();
    writer.uint(deltas.length);
    for (let delta = 0; delta < deltas.length; delta++) {
      writer.text(deltas.models[delta]!).uint(deltas.startMs[delta]!).uint(deltas.size[delta]!);
      for (let row = deltas.firstRow[delta]!; row !== NONE; row = rows.nextOfDelta[row]!) this.packRow(row);
    }
    return writer.take();
  }

  /** As packWindow() packs a version. */
  private packRow(row: number): void {
    const { writer, rows } = this;
    writer.text(rows.versions[row]!).uint(rows.routed[row]!).uint(rows.errors[row]!);
    writer.uint(rows.labelled[row]!).uint(rows.right[row]!);
    this.latencies.pack(row, writer);
    this.labelDelays.pack(row, writer);
  }
}

/** The windows of every resolution that a delta adds to, those that are still kept at this log time. */
export function windowsOf({ model, startMs }: WindowDelta, logTimeMs: number): WindowId[] {
  return RESOLUTIONS.map((resolution) => ({ resolution, startMs: windowStartMs(resolution, startMs), model })).filter(
    (id) => isKept(id.resolution, id.startMs, logTimeMs),
  );
}

/** The deltas that were taken as one. Throws CanaryError `corrupt-pack`. */
export function unpackDeltas(packed: Buffer): WindowDelta[] {
  const reader = new PackReader(packed);
  return Array.from({ length: reader.uint() }, () => {
    const [model, startMs, from] = [reader.text(), reader.uint(), reader.place];
    skipWindow(reader);
    return { model, startMs, packed: packed.subarray(from, reader.place) };
  });
}

function isKept(resolution: Resolution, startMs: number, logTimeMs: number): boolean {
  const { windowMs, keptMs } = RESOLUTION_LAYOUT[resolution];
  return startMs + windowMs + keptMs > logTimeMs;
}
