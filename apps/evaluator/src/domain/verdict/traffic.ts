import type { PackReader, PackWriter } from '@app/shared';
import { packFloats, unpackFloats } from './pack-counts.js';

/** An arm that has been silent for this many of its expected gaps is missing. */
const GAPS_MAX = 20;
/** Buckets and cuts make arrivals lumpy: no silence below this is remarkable, ms. */
const SILENCE_LEAST_MS = 2_000;
/** Time constant of the present rate, ms. */
const RATE_MS = 60_000;

/** Arrivals of one arm in one generation, by log time of the cuts that brought them. */
class Arrivals {
  total = 0;
  lastSeenMs = -1;
  private inCut = 0;
  /** Arrivals and time, both weighted by e^(-age / 60 s). */
  private recent = 0;
  private recentMs = 0;

  add(count: number): void {
    this.inCut += count;
  }

  endCut(asOfMs: number, elapsedMs: number): void {
    const decay = Math.exp(-elapsedMs / RATE_MS);
    this.recent = this.recent * decay + this.inCut;
    this.recentMs = this.recentMs * decay + elapsedMs;
    this.total += this.inCut;
    if (this.inCut > 0) this.lastSeenMs = asOfMs;
    this.inCut = 0;
  }

  perMs(): number {
    return this.recentMs > 0 ? this.recent / this.recentMs : 0;
  }

  figures(): number[] {
    return [this.total, this.lastSeenMs, this.inCut, this.recent, this.recentMs];
  }

  restore([total, lastSeenMs, inCut, recent, recentMs]: ArrayLike<number> & Iterable<number>): void {
    this.total = total!;
    this.lastSeenMs = lastSeenMs!;
    this.inCut = inCut!;
    this.recent = recent!;
    this.recentMs = recentMs!;
  }
}

export type Silence = 'none' | 'canary' | 'stable' | 'both';

/** Whether both arms of the present generation get their traffic, and how much. Times are log times. */
export class Traffic {
  private readonly arms = [new Arrivals(), new Arrivals()] as const;
  private generation = -1;
  private beganMs = -1;
  private lastCutMs = -1;

  /** Predictions routed in a bucket that is seen for the first time. */
  add(generation: number, stable: number, canary: number): void {
    if (generation !== this.generation) return;
    this.arms[0].add(stable);
    this.arms[1].add(canary);
  }

  /** The generation that is watched: the newest. Everything begins anew with it. */
  watch(generation: number): void {
    if (generation === this.generation) return;
    this.generation = generation;
    this.beganMs = -1;
    for (const arm of this.arms) arm.restore([0, -1, 0, 0, 0]);
  }

  endCut(asOfMs: number): void {
    if (this.beganMs < 0) this.beganMs = asOfMs;
    const elapsedMs = this.lastCutMs < 0 ? 0 : Math.max(0, asOfMs - this.lastCutMs);
    this.lastCutMs = asOfMs;
    for (const arm of this.arms) arm.endCut(asOfMs, elapsedMs);
  }

  /** Canary and stable predictions per ms at present. */
  canaryPerMs(): number {
    return this.arms[1].perMs();
  }

  /** Seen in this generation. */
  totals(): { readonly canary: number; readonly stable: number } {
    return { canary: this.arms[1].total, stable: this.arms[0].total };
  }

  /** Which arm has been silent for 20 of its expected gaps; an arm with weight 0 is not expected. */
  silence(weights: { readonly canary: number; readonly stable: number }): Silence {
    const canary = weights.canary > 0 && this.silent(1, weights.canary / Math.max(weights.stable, 1e-9));
    const stable = weights.stable > 0 && this.silent(0, weights.stable / Math.max(weights.canary, 1e-9));
    if (canary && stable) return 'both';
    return canary ? 'canary' : stable ? 'stable' : 'none';
  }

  private silent(arm: 0 | 1, ratio: number): boolean {
    const { total, lastSeenMs } = this.arms[arm];
    const other = this.arms[arm === 0 ? 1 : 0];
    if (total === 0) {
      if (other.total === 0) return this.lastCutMs - this.beganMs > SILENCE_LEAST_MS;
      return other.total * ratio > GAPS_MAX;
    }
    const gapMs = Math.max(1, lastSeenMs - this.beganMs) / total;
    return this.lastCutMs - lastSeenMs > Math.max(SILENCE_LEAST_MS, GAPS_MAX * gapMs);
  }

  write(out: PackWriter): void {
    packFloats(out, [this.generation, this.beganMs, this.lastCutMs]);
    for (const arm of this.arms) packFloats(out, arm.figures());
  }

  read(from: PackReader): this {
    this.generation = from.float();
    this.beganMs = from.float();
    this.lastCutMs = from.float();
    for (const arm of this.arms) {
      const figures = new Float64Array(5);
      unpackFloats(from, figures);
      arm.restore(figures);
    }
    return this;
  }
}
