import { PackReader, PackWriter } from '../packing.js';
import { SKETCH_BIN_MAX, sketchBin, sketchValueMs } from './sketch.js';

/**
 * A window: what was routed to a model's versions in some seconds of routing time, as far as it is known. Windows are
 * for people to look at; no verdict rests on them.
 */
export interface ModelWindow {
  readonly startMs: number;
  readonly durationMs: number;
  /** By version. */
  readonly versions: ReadonlyMap<string, WindowFigures>;
}

export interface WindowFigures {
  /** Outcomes received, by the routing time of their predictions; shadow copies and overrides too. */
  routed: number;
  /** Of them errors, 4xx included. */
  errors: number;
  /** Predictions of this window whose label has come, however late. */
  labelled: number;
  right: number;
  /** Latency to the last byte of those that were not cancelled: sketch bin -> count. */
  latency: Map<number, number>;
  /** How long after their predictions the labels came: labelDelayBin -> count. */
  labelDelay: Map<number, number>;
}

export const RESOLUTIONS = ['10s', '1m'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

export interface WindowRange {
  readonly resolution: Resolution;
  /** Windows that overlap [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Reads windows. Two adapters: Redis and memory. */
export interface WindowReader {
  /** In order of time; windows in which nothing was routed are not in it. Rejects when the store is away. */
  read(model: string, range: WindowRange): Promise<readonly ModelWindow[]>;
}

export const emptyFigures = (): WindowFigures => ({
  routed: 0,
  errors: 0,
  labelled: 0,
  right: 0,
  latency: new Map(),
  labelDelay: new Map(),
});

/** Delays run from milliseconds to weeks; so coarse, within 4 %, their bins stay few. */
const DELAY_BINS_JOINED = 4;

export const labelDelayBin = (delayMs: number): number =>
  DELAY_BINS_JOINED * Math.round(Math.min(sketchBin(delayMs), SKETCH_BIN_MAX - DELAY_BINS_JOINED) / DELAY_BINS_JOINED);

export function addFigures(sum: WindowFigures, more: WindowFigures): void {
  sum.routed += more.routed;
  sum.errors += more.errors;
  sum.labelled += more.labelled;
  sum.right += more.right;
  addCounts(sum.latency, more.latency);
  addCounts(sum.labelDelay, more.labelDelay);
}

function addCounts(sum: Map<number, number>, more: ReadonlyMap<number, number>): void {
  for (const [bin, count] of more) sum.set(bin, (sum.get(bin) ?? 0) + count);
}

/** The q-quantile of latencies within 1 %, e.g. q = 0.99; null when there are none. */
export const latencyQuantileMs = ({ latency }: WindowFigures, q: number): number | null => quantileMs(latency, q);

/** The same of the labels' delays, within 4 %. */
export const labelDelayQuantileMs = ({ labelDelay }: WindowFigures, q: number): number | null =>
  quantileMs(labelDelay, q);

function quantileMs(counts: ReadonlyMap<number, number>, q: number): number | null {
  let total = 0;
  for (const count of counts.values()) total += count;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [bin, count] of [...counts].sort(([a], [b]) => a - b)) {
    seen += count;
    if (seen >= rank) return bin === SKETCH_BIN_MAX ? null : sketchValueMs(bin);
  }
  return null;
}

const writer = new PackWriter();

/** Packs the figures of all versions of one window, as they stand in the store. */
export function packWindow(versions: ReadonlyMap<string, WindowFigures>): Buffer {
  writer.uint(versions.size);
  for (const [version, f] of versions) {
    writer.text(version).uint(f.routed).uint(f.errors).uint(f.labelled).uint(f.right);
    packCounts(f.latency);
    packCounts(f.labelDelay);
  }
  return writer.take();
}

function packCounts(counts: ReadonlyMap<number, number>): void {
  writer.uint(counts.size);
  let previous = 0;
  for (const [bin, count] of [...counts].sort(([a], [b]) => a - b)) {
    writer.uint(bin - previous).uint(count);
    previous = bin;
  }
}

/** Throws CanaryError `corrupt-pack` on bytes that packWindow() did not make. */
export function unpackWindow(bytes: Buffer): Map<string, WindowFigures> {
  const reader = new PackReader(bytes);
  const versions = new Map<string, WindowFigures>();
  for (let v = reader.uint(); v > 0; v--) {
    const version = reader.text();
    const figures = emptyFigures();
    figures.routed = reader.uint();
    figures.errors = reader.uint();
    figures.labelled = reader.uint();
    figures.right = reader.uint();
    unpackCounts(reader, figures.latency);
    unpackCounts(reader, figures.labelDelay);
    versions.set(version, figures);
  }
  return versions;
}

function unpackCounts(reader: PackReader, counts: Map<number, number>): void {
  let bin = 0;
  for (let bins = reader.uint(); bins > 0; bins--) {
    bin += reader.uint();
    counts.set(bin, reader.uint());
  }
}

/** Passes what packWindow() made, when it stands among other things. Throws CanaryError `corrupt-pack`. */
export function skipWindow(reader: PackReader): void {
  for (let versions = reader.uint(); versions > 0; versions--) {
    reader.skip(reader.uint());
    for (let figures = 4; figures > 0; figures--) reader.uint();
    for (let kinds = 2; kinds > 0; kinds--) for (let numbers = 2 * reader.uint(); numbers > 0; numbers--) reader.uint();
  }
}
