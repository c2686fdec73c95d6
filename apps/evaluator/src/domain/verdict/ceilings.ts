import type { PackReader, PackWriter } from '@app/shared';
import type { ArmCounts, BucketSummary } from '../summary.js';
import { lnShareEvidence } from './ceiling.js';
import type { CeilingCheck } from './checks-plan.js';
import { FreshStarts } from './fresh-starts.js';
import { lnHalf, lnMean } from './kernel.js';
import { RecentShares } from './recent-shares.js';
import { countBad } from './cell-digest.js';

/** Buckets whose next record will replace what they count. More than this are counted only when they are final. */
const OPEN_BUCKETS_MAX = 20_000;
const step = new Float64Array(2);

/** What a bucket counts at present: n and x by ceiling, and both arms' shares for the error ceiling. */
interface Contribution {
  readonly generation: number;
  readonly tMs: number;
  readonly n: number[];
  readonly x: number[];
  readonly recent: readonly [n1: number, x1: number, n0: number, x0: number];
}

/** One ceiling's sums: predictions and bad ones, since the rollout began and since the fresh starts. */
class CeilingLook {
  private readonly starts = new FreshStarts(2);
  private lnCumulativeNow = 0;
  private lnFreshNow = -Infinity;
  private lnFailNow = lnHalf(0, -Infinity);
  private dirty = false;

  constructor(readonly check: CeilingCheck) {}

  get n(): number {
    return this.starts.sums[0]!;
  }

  get x(): number {
    return this.starts.sums[1]!;
  }

  add(tMs: number, n: number, x: number): void {
    step[0] = n;
    step[1] = x;
    this.starts.add(tMs, step);
    this.dirty = true;
  }

  evaluate(): void {
    if (!this.dirty) return;
    this.dirty = false;
    const { test } = this.check;
    this.lnCumulativeNow = lnShareEvidence(test, this.n, this.x);
    this.lnFreshNow = this.starts.lnFresh(
      (sums, from) => lnShareEvidence(test, sums[from]!, sums[from + 1]!),
      this.lnCumulativeNow,
    );
    this.lnFailNow = lnHalf(this.lnCumulativeNow, this.lnFreshNow);
  }

  lnFail(): number {
    return this.starts.begun ? this.lnFailNow : 0;
  }

  lnCumulative(): number {
    return this.lnCumulativeNow;
  }

  lnFresh(): number {
    return this.lnFreshNow;
  }

  write(out: PackWriter): void {
    this.starts.write(out);
    out
      .float(this.lnCumulativeNow)
      .float(this.lnFreshNow)
      .uint(this.dirty ? 1 : 0);
  }

  read(from: PackReader): void {
    this.starts.read(from);
    this.lnCumulativeNow = from.float();
    this.lnFreshNow = from.float();
    this.lnFailNow = lnHalf(this.lnCumulativeNow, this.lnFreshNow);
    this.dirty = from.uint() === 1;
  }
}

/**
 * The ceilings of a rollout. They look at every record of a bucket, with what is bad so far (a lower bound, so valid at
 * any age); the newest record of a bucket replaces what its earlier ones counted. They need no control, stay on in
 * warm-up and bake, and leave out buckets in which control's share is above the line too.
 */
export class Ceilings {
  readonly looks: readonly CeilingLook[];
  /** Errors of both arms in the last seconds, for an outage both share. */
  readonly recent = new RecentShares();
  private readonly open = new Map<string, Contribution>();

  constructor(checks: readonly CeilingCheck[]) {
    this.looks = checks.map((check) => new CeilingLook(check));
  }

  /** Counts a bucket as one of its records shows it. */
  fold(
    bucket: BucketSummary,
    tMs: number,
    arms: { readonly canary: ArmCounts | null; readonly stable: ArmCounts | null },
  ): void {
    const now = this.contribution(bucket, tMs, arms);
    const first = bucket.previousAgeMs === 0;
    if (first && bucket.final) return this.replace(null, now);
    const key = keyOf(bucket);
    const before = this.open.get(key) ?? null;
    if (!bucket.final && !before && this.open.size >= OPEN_BUCKETS_MAX) return;
    this.replace(before, now);
    if (bucket.final) this.open.delete(key);
    else this.open.set(key, now);
  }

  /** Takes back what a bucket counted: it has turned out not to be countable. */
  leaveOut(bucket: { readonly router: string; readonly bucket: number; readonly generation: number }): void {
    const key = keyOf(bucket);
    const before = this.open.get(key);
    if (!before) return;
    this.replace(before, { ...before, n: before.n.map(() => 0), x: before.x.map(() => 0), recent: [0, 0, 0, 0] });
    this.open.delete(key);
  }

  evaluate(): void {
    for (const look of this.looks) look.evaluate();
  }

  /** ln of the mean E of the ceilings. */
  lnFail(): number {
    return lnMean(this.looks.map((look) => look.lnFail()));
  }

  private contribution(
    bucket: BucketSummary,
    tMs: number,
    { canary, stable }: { readonly canary: ArmCounts | null; readonly stable: ArmCounts | null },
  ): Contribution {
    const n: number[] = [];
    const x: number[] = [];
    let recent: Contribution['recent'] = [0, 0, 0, 0];
    for (const { check } of this.looks) {
      const n1 = canary?.routed ?? 0;
      const x1 = canary ? badSoFar(canary, check, bucket.ageMs) : 0;
      const n0 = stable?.routed ?? 0;
      const x0 = stable ? badSoFar(stable, check, bucket.ageMs) : 0;
      const counts = n1 > 0 && x1 <= n1 && !(n0 > 0 && x0 / n0 > check.controlShareMax);
      n.push(counts ? n1 : 0);
      x.push(counts ? x1 : 0);
      if (check.quantile === null) recent = [n1, x1, n0, x0];
    }
    return { generation: bucket.generation, tMs, n, x, recent };
  }

  private replace(before: Contribution | null, now: Contribution): void {
    for (let i = 0; i < this.looks.length; i++) {
      const n = now.n[i]! - (before?.n[i] ?? 0);
      const x = now.x[i]! - (before?.x[i] ?? 0);
      if (n !== 0 || x !== 0) this.looks[i]!.add(now.tMs, n, x);
    }
    this.recent.add(now.tMs, now.recent, before?.recent ?? null);
  }

  write(out: PackWriter): void {
    for (const look of this.looks) look.write(out);
    this.recent.write(out);
    out.uint(this.open.size);
    for (const [key, { generation, tMs, n, x, recent }] of this.open) {
      out.text(key).uint(generation).uint(tMs);
      for (let i = 0; i < this.looks.length; i++) out.uint(n[i]!).uint(x[i]!);
      for (const count of recent) out.uint(count);
    }
  }

  read(from: PackReader): this {
    for (const look of this.looks) look.read(from);
    this.recent.read(from);
    for (let left = from.uint(); left > 0; left--) {
      const key = from.text();
      const generation = from.uint();
      const tMs = from.uint();
      const n: number[] = [];
      const x: number[] = [];
      for (let i = 0; i < this.looks.length; i++) {
        n.push(from.uint());
        x.push(from.uint());
      }
      const recent: Contribution['recent'] = [from.uint(), from.uint(), from.uint(), from.uint()];
      this.open.set(key, { generation, tMs, n, x, recent });
    }
    return this;
  }
}

function badSoFar(arm: ArmCounts, check: CeilingCheck, ageMs: number): number {
  const bad = countBad(check.source === 'latency' ? arm.cells : arm.firstByte, check.bad);
  return ageMs >= check.pendingBadAfterMs ? bad + arm.pending : bad;
}

function keyOf(bucket: { readonly router: string; readonly bucket: number }): string {
  return `${bucket.bucket} ${bucket.router}`;
}
