import { type PackReader, type PackWriter, QUANTILE_VALUE, type Quantile, QUANTILES } from '@app/shared';
import { sketchUpperEdgeMs, sketchValueMs } from '../sketch.js';
import type { Cells } from '../summary.js';
import { confidenceRadius, mixtureScale } from './confidence.js';
import { packCounts, unpackCounts } from './pack-counts.js';

/** Bins up to 60 s, and one for everything above. */
const TOP_BIN = 552;
/** One-sided level of each end of an arm's band. */
const END_ALPHA = 0.0125;
/** Events at which a band is sharpest. */
const BAND_EVENTS = 5_000;

/** Of a band: information on the distribution function at the quantile that one event has, and the mixture's rho. */
interface BandScale {
  readonly perEvent: number;
  readonly rho: number;
}

function bandScale(quantile: Quantile): BandScale {
  const q = QUANTILE_VALUE[quantile];
  const perEvent = 1 / (q * (1 - q));
  return { perEvent, rho: mixtureScale(BAND_EVENTS * perEvent, END_ALPHA) };
}
const BAND_SCALES = Object.fromEntries(QUANTILES.map((q) => [q, bandScale(q)])) as Record<Quantile, BandScale>;

/** Latencies of one arm: counts by sketch bin. */
export class LatencySketch {
  readonly bins = new Uint32Array(TOP_BIN + 1);
  total = 0;
  /** How many are at most in each bin, unless it is stale; from the lowest bin in use to the highest one. */
  private readonly upTo = new Uint32Array(TOP_BIN + 1);
  private stale = true;
  private lowest = TOP_BIN;
  private highest = 0;

  add(cells: Cells): void {
    const { keys, counts } = cells;
    if (keys.length === 0) return;
    this.stale = true;
    const { bins } = this;
    let { total, lowest, highest } = this;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]! & 2047;
      const bin = key > TOP_BIN ? TOP_BIN : key;
      const count = counts[i]!;
      bins[bin]! += count;
      total += count;
      if (bin < lowest) lowest = bin;
      if (bin > highest) highest = bin;
    }
    this.total = total;
    this.lowest = lowest;
    this.highest = highest;
  }

  /** How many are slower than the upper edge of a bin; NaN where the top bin holds both slower and faster ones. */
  above(bin: number): number {
    if (bin < this.lowest) return this.total;
    if (bin > TOP_BIN) return Number.NaN;
    return bin >= this.highest ? 0 : this.total - this.cumulative()[bin]!;
  }

  /** The first bin with at least that share of all up to it, if there are any. */
  quantileBin(share: number): number {
    const upTo = this.cumulative();
    const wanted = Math.max(1, this.total * share);
    let low = this.lowest;
    let high = this.highest;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle]! >= wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private cumulative(): Uint32Array {
    if (!this.stale) return this.upTo;
    this.stale = false;
    const { bins, upTo, lowest, highest } = this;
    let sum = 0;
    for (let bin = lowest; bin <= highest; bin++) upTo[bin] = sum += bins[bin]!;
    return upTo;
  }

  write(out: PackWriter): void {
    out.uint(this.total);
    packCounts(out, this.bins);
  }

  read(from: PackReader): this {
    this.total = from.uint();
    unpackCounts(from, this.bins);
    const first = this.bins.findIndex((count) => count > 0);
    if (first < 0) return this;
    this.lowest = first;
    this.highest = this.bins.findLastIndex((count) => count > 0);
    return this;
  }
}

/** Quantile of an arm in ms, within 1 %; null without latencies. */
export function quantileMs(sketch: LatencySketch, quantile: Quantile): number | null {
  return sketch.total === 0 ? null : sketchValueMs(sketch.quantileBin(QUANTILE_VALUE[quantile]));
}

/**
 * Time-uniform 97.5 % band around one arm's quantile (normal-mixture confidence sequence on its distribution function
 * at q, read back through the sketch), D times widened. Null while an end is not known.
 */
export function quantileBand(sketch: LatencySketch, quantile: Quantile, d: number): [number, number] | null {
  const q = QUANTILE_VALUE[quantile];
  if (sketch.total === 0) return null;
  const { perEvent, rho } = BAND_SCALES[quantile];
  const radius = confidenceRadius((sketch.total * perEvent) / d, rho, END_ALPHA);
  if (q - radius <= 0 || q + radius >= 1) return null;
  return [sketchValueMs(sketch.quantileBin(q - radius)), sketchValueMs(sketch.quantileBin(q + radius))];
}

/** Latencies of the newest 2,000 to 4,000 events: a full sketch of 2,000 and one that fills. */
export class RecentLatencies {
  private full = new LatencySketch();
  private filling = new LatencySketch();

  add(cells: Cells): void {
    this.filling.add(cells);
    if (this.filling.total < RECENT_EVENTS) return;
    this.full = this.filling;
    this.filling = new LatencySketch();
  }

  /** Whether at least the newest 2,000 events are in. */
  ready(): boolean {
    return this.full.total > 0;
  }

  /** The bin whose upper edge is the quantile, at most that of 60 s; once ready. */
  bin(quantile: Quantile): number {
    const wanted = Math.max(1, (this.full.total + this.filling.total) * QUANTILE_VALUE[quantile]);
    let seen = 0;
    let bin = -1;
    while (seen < wanted) seen += this.full.bins[++bin]! + this.filling.bins[bin]!;
    return Math.min(TOP_BIN - 1, bin);
  }

  /** Upper edge of the quantile's bin, ms; Infinity until ready. */
  edgeMs(quantile: Quantile): number {
    return this.ready() ? sketchUpperEdgeMs(this.bin(quantile)) : Infinity;
  }

  write(out: PackWriter): void {
    this.full.write(out);
    this.filling.write(out);
  }

  read(from: PackReader): this {
    this.full.read(from);
    this.filling.read(from);
    return this;
  }
}

const RECENT_EVENTS = 2_000;
