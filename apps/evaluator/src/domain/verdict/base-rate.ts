import type { PackReader, PackWriter } from '@app/shared';

const SHORT_EVENTS = 1_000;
const LONG_EVENTS = 10_000;
const LEAST_EVENTS = 500;
const HORIZON_MS = 600_000;
/** Buckets smaller than this are kept together with their neighbour, so that low traffic needs few entries. */
const ENTRY_EVENTS = 50;

/** Control's share of bad ones over two windows, the smaller and the larger estimate. */
export interface BaseRate {
  readonly small: number;
  readonly large: number;
  /** Events in the longer window. */
  readonly n: number;
}

interface Entry {
  /** Routing time of its oldest bucket, ms. */
  readonly atMs: number;
  n: number;
  x: number;
}

/**
 * Control's recent buckets, from which an absolute limit becomes a line in odds. Two windows, whole buckets, newest
 * first: until at least 1,000 events are in, and until at least 10,000; none routed more than 10 minutes before the
 * newest one, but always at least the newest 500. Two, because with one a base rate that falls from 5 % to .5 % gives
 * 99 % false FAIL at a difference within the limit.
 */
export class BaseRateWindow {
  /** Oldest first. */
  private entries: Entry[] = [];
  /** Sums over all entries. */
  private n = 0;
  private x = 0;
  private rate: BaseRate | null = null;
  private stale = false;

  /** Adds a bucket of control: n events of which x are bad, routed at `atMs`. */
  add(atMs: number, n: number, x: number): void {
    if (!(n > 0) || !(x >= 0 && x <= n)) return;
    let i = this.entries.length;
    while (i > 0 && this.entries[i - 1]!.atMs > atMs) i--;
    const before = this.entries[i - 1];
    if (before && before.n < ENTRY_EVENTS) {
      before.n += n;
      before.x += x;
    } else this.entries.splice(i, 0, { atMs, n, x });
    this.n += n;
    this.x += x;
    this.stale = true;
    this.dropOld();
  }

  /** Null until there are 500 events. */
  current(): BaseRate | null {
    if (this.stale) {
      this.stale = false;
      this.rate = this.estimate();
    }
    return this.rate;
  }

  private estimate(): BaseRate | null {
    if (this.n < LEAST_EVENTS) return null;
    const long = share(this.n, this.x);
    let n = 0;
    let x = 0;
    for (let i = this.entries.length - 1; i >= 0 && n < SHORT_EVENTS; i--) {
      n += this.entries[i]!.n;
      x += this.entries[i]!.x;
    }
    const short = share(n, x);
    return { small: Math.min(short, long), large: Math.max(short, long), n: this.n };
  }

  /** Keeps exactly the long window. */
  private dropOld(): void {
    const newestMs = this.entries[this.entries.length - 1]!.atMs;
    for (;;) {
      const oldest = this.entries[0]!;
      const left = this.n - oldest.n;
      if (left < LONG_EVENTS && (left < LEAST_EVENTS || oldest.atMs >= newestMs - HORIZON_MS)) return;
      this.n = left;
      this.x -= oldest.x;
      this.entries.shift();
    }
  }

  write(out: PackWriter): void {
    out.uint(this.entries.length);
    let before = 0;
    for (const { atMs, n, x } of this.entries) {
      out.uint(atMs - before);
      out.uint(n);
      out.uint(x);
      before = atMs;
    }
  }

  read(from: PackReader): this {
    let atMs = 0;
    this.entries = Array.from({ length: from.uint() }, () => {
      atMs += from.uint();
      return { atMs, n: from.uint(), x: from.uint() };
    });
    for (const { n, x } of this.entries) {
      this.n += n;
      this.x += x;
    }
    this.stale = true;
    return this;
  }
}

function share(n: number, x: number): number {
  return (x + 0.5) / (n + 1);
}

const SHARE_MAX = 1 - 1e-6;

/** The odds ratio at which the canary is `d` (absolute) worse than control at p: the line o_b of an absolute limit. */
export function absoluteLine(p: number, d: number): number {
  const limit = Math.min(p + d, SHARE_MAX);
  return Math.max(1, limit / (1 - limit) / (p / (1 - p)));
}

/** The same for a canary r times worse (.1: a tenth more). */
export function relativeLine(p: number, r: number): number {
  return absoluteLine(p, p * r);
}
