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

/** One version's figures in a delta, to be added to. */
export interface WindowRow {
  readonly batch: number;
  readonly version: string;
  readonly startMs: number;
  readonly number: number;
  routed: number;
  errors: number;
  labelled: number;
  right: number;
}

interface Delta {
  readonly model: string;
  readonly startMs: number;
  readonly rows: WindowRow[];
}

/** Where a model's deltas are found, and a version's rows. What is of another batch than `batch` is over. */
interface ModelPlace {
  batch: number;
  readonly deltas: Delta[];
  readonly versions: Map<string, VersionPlace>;
}
interface VersionPlace extends ModelVersion {
  batch: number;
  readonly rows: WindowRow[];
}

/**
 * Collects what batches add to the windows of their partition. It counts in the finest windows alone; the wider ones are
 * added up from them where windows are stored.
 */
export class WindowDeltas {
  private readonly places = new Map<string, ModelPlace>();
  private last: VersionPlace | null = null;
  private batch = 0;
  private deltas: Delta[] = [];
  private versions: VersionPlace[] = [];
  private rows = 0;
  private readonly latencies = new RowBins();
  private readonly labelDelays = new RowBins();
  private readonly writer = new PackWriter();

  /** Figures of the window a time falls in; null if nobody can look at it any more, or not yet. */
  at(model: string, version: string, timeMs: number, logTimeMs: number): WindowRow | null {
    const startMs = windowStartMs(FINEST, timeMs);
    if (startMs > logTimeMs + FUTURE_MS_MAX || !isKept('1m', startMs, logTimeMs)) return null;
    const { last } = this;
    const place = last?.version === version && last.model === model ? last : this.placeOf(model, version);
    for (const row of place.rows) if (row.startMs === startMs) return row;
    return this.newRow(place, startMs);
  }

  /** Whether a row that at() gave some time is still the one for this time. */
  isOf(row: WindowRow, timeMs: number): boolean {
    return row.batch === this.batch && timeMs >= row.startMs && timeMs < row.startMs + FINEST_MS;
  }

  /** Counts a latency by its bin, in a row of this batch. */
  addLatency(row: WindowRow, bin: number): void {
    this.latencies.add(row.number, bin);
  }

  /** Counts how late a label came, by its labelDelayBin. */
  addLabelDelay(row: WindowRow, bin: number): void {
    this.labelDelays.add(row.number, bin);
  }

  /**
   * What was counted since the last time, packed (null: nothing), and every model and version that was, in the order in
   * which they came; a version is the same object each time, as long as it comes often.
   */
  take(): { readonly figures: Buffer | null; readonly versions: readonly ModelVersion[] } {
    const taken = { figures: this.pack(), versions: this.versions };
    this.deltas = [];
    this.versions = [];
    this.rows = 0;
    this.latencies.clear();
    this.labelDelays.clear();
    this.batch++;
    this.last = null;
    if (this.places.size > MODELS_MAX) this.places.clear();
    return taken;
  }

  private placeOf(model: string, version: string): VersionPlace {
    const { versions } = this.modelPlace(model);
    let place = versions.get(version);
    if (!place) {
      place = { model, version, batch: -1, rows: [] };
      versions.set(version, place);
    }
    if (place.batch !== this.batch) {
      place.batch = this.batch;
      place.rows.length = 0;
      this.versions.push(place);
    }
    this.last = place;
    return place;
  }

  private modelPlace(model: string): ModelPlace {
    let place = this.places.get(model);
    if (!place) {
      place = { batch: -1, deltas: [], versions: new Map<string, VersionPlace>() };
      this.places.set(model, place);
    }
    if (place.batch !== this.batch) {
      place.batch = this.batch;
      place.deltas.length = 0;
    }
    return place;
  }

  private newRow({ model, version, rows }: VersionPlace, startMs: number): WindowRow {
    const number = this.rows++;
    const row: WindowRow = { batch: this.batch, version, startMs, number, routed: 0, errors: 0, labelled: 0, right: 0 };
    rows.push(row);
    const { deltas } = this.modelPlace(model);
    let delta = deltas.find((other) => other.startMs === startMs);
    if (!delta) {
      delta = { model, startMs, rows: [] };
      deltas.push(delta);
      this.deltas.push(delta);
    }
    delta.rows.push(row);
    return row;
  }

  private pack(): Buffer | null {
    if (this.deltas.length === 0) return null;
    this.latencies.sort();
    this.labelDelays.sort();
    const { writer } = this;
    writer.uint(this.deltas.length);
    for (const { model, startMs, rows } of this.deltas) {
      writer.text(model).uint(startMs).uint(rows.length);
      for (const row of rows) this.packRow(row);
    }
    return writer.take();
  }

  /** As packWindow() packs a version. */
  private packRow({ version, routed, errors, labelled, right, number }: WindowRow): void {
    const { writer } = this;
    writer.text(version).uint(routed).uint(errors).uint(labelled).uint(right);
    this.latencies.pack(number, writer);
    this.labelDelays.pack(number, writer);
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
