import type { BucketCounts } from '@app/shared/core';

/** A bucket may be cut from this age on, if it has enough in it. */
export const BUCKET_AGE_MS = 100;
export const BUCKET_ROUTED_MIN = 10;
/** It is cut at this age whatever is in it ... */
export const BUCKET_AGE_MAX_MS = 60_000;
/** ... and earlier when there is no second arm to wait for. */
export const BUCKET_AGE_MAX_ONE_ARM_MS = 10_000;
/** Ages at which a bucket shows itself while something is pending; after the last, every fourfold age. */
const RECORD_AGES_MS = [50, 250, 1000];
const RECORD_AGE_FACTOR = 4;

/** What a model routes to at one generation: the versions that have weight. */
export interface BucketRouting {
  readonly model: string;
  readonly generation: number;
  readonly versions: readonly string[];
}

/** Now, by both clocks: ages are taken from the one that never goes backwards. */
export interface Instant {
  readonly monotonicMs: number;
  /** Since the Unix epoch. */
  readonly wallMs: number;
}

interface ArmTally {
  routed: number;
  intended: number;
  pending: number;
  dropped: number;
}

/** Some 100 ms of one model's predictions. Only the cutter changes it. */
export interface Bucket {
  /** Number within the router; from 0. */
  readonly number: number;
  readonly routing: BucketRouting;
  /** The partition its records go to, fixed when it opens. */
  readonly partition: number;
  readonly routedFromMs: number;
  readonly openedAtMs: number;
  readonly arms: readonly ArmTally[];
}

interface LiveBucket extends Bucket {
  routed: number;
  pending: number;
  /** Arms without a routed prediction so far. */
  armsMissing: number;
  /** By the monotonic clock; null while it is open. */
  cutAtMs: number | null;
  previousAgeMs: number;
  nextAgeMs: number;
}

/** What a bucket looks like at one moment: all of a bucket record but its lane and sequence. */
export interface BucketSnapshot {
  readonly number: number;
  readonly routing: BucketRouting;
  readonly partition: number;
  readonly routedFromMs: number;
  readonly routedToMs: number;
  readonly ageMs: number;
  readonly previousAgeMs: number;
  readonly versions: Readonly<Record<string, BucketCounts>>;
  readonly final: boolean;
}

/**
 * Cuts a router's predictions into buckets, by the clock and by counts of what was routed, never by an outcome: what a
 * bucket holds must not depend on how its predictions end. Rules 1 to 3 of "From a prediction to evidence". The caller
 * puts out each outcome before it settles it, so that a bucket's final record is the last of the bucket in its lane.
 */
export class BucketCutter {
  private readonly open = new Map<string, LiveBucket>();
  /** Cut, and something pending or not shown yet. */
  private readonly cut = new Map<number, LiveBucket>();
  /** Final when they were cut: to be shown at the next look. */
  private finalAtCut: LiveBucket[] = [];
  private nextNumber = 0;
  private nextLookAtMs = Infinity;

  /** `routerHash` spreads routers over the partitions; `partitions` never changes within a router's life. */
  constructor(
    private readonly routerHash: number,
    private readonly partitions: number,
  ) {}

  /** When advance() must be called next, by the monotonic clock; Infinity: nothing is due. */
  get nextAtMs(): number {
    return this.nextLookAtMs;
  }

  /** Buckets that are open, or cut and not final. */
  get liveBuckets(): number {
    return this.open.size + this.cut.size;
  }

  /**
   * Puts one prediction into the open bucket of its model and generation. `intended` and `routed` index
   * routing.versions: where the hash put it, and where it is really sent.
   */
  route(routing: BucketRouting, prediction: { intended: number; routed: number }, now: Instant): Bucket {
    let bucket = this.open.get(routing.model);
    if (bucket && (bucket.routing.generation !== routing.generation || mustBeCut(bucket, now.monotonicMs))) {
      this.cutBucket(bucket, now.monotonicMs);
      bucket = undefined;
    }
    bucket ??= this.openBucket(routing, now);
    const arm = bucket.arms[prediction.routed]!;
    if (arm.routed++ === 0) bucket.armsMissing--;
    arm.pending++;
    bucket.arms[prediction.intended]!.intended++;
    bucket.routed++;
    bucket.pending++;
    // Only at these two moments can an incomplete bucket become a complete one.
    if (bucket.routed === BUCKET_ROUTED_MIN || arm.routed === 1) this.lookAt(dueAtMs(bucket));
    return bucket;
  }

  /** The routing of a model changed: its bucket is complete as it is. */
  cutModel(model: string, nowMs: number): void {
    const bucket = this.open.get(model);
    if (bucket) this.cutBucket(bucket, nowMs);
  }

  /** Everything is complete as it is: the router is closing. */
  cutAll(nowMs: number): void {
    for (const bucket of this.open.values()) this.cutBucket(bucket, nowMs);
  }

  /** The outcome of a prediction is out. Returns the bucket's final record if that was the last it waited for. */
  settle(bucket: Bucket, routed: number, nowMs: number): BucketSnapshot | null {
    const live = bucket as LiveBucket;
    live.arms[routed]!.pending--;
    live.pending--;
    if (live.pending > 0 || live.cutAtMs === null || !this.cut.delete(live.number)) return null;
    return snapshot(live, nowMs - live.cutAtMs);
  }

  /** An outcome record that was out is lost. Without effect once the bucket's final record is out. */
  drop(bucketNumber: number, routed: number, model: string): void {
    const open = this.open.get(model);
    const bucket = open?.number === bucketNumber ? open : this.cut.get(bucketNumber);
    const arm = bucket?.arms[routed];
    if (arm) arm.dropped++;
  }

  /** Cuts what is due and returns the bucket records that are due, in the order in which they are to be put out. */
  advance(nowMs: number): readonly BucketSnapshot[] {
    for (const bucket of this.open.values()) if (mustBeCut(bucket, nowMs)) this.cutBucket(bucket, nowMs);
    const records = this.finalAtCut.map((bucket) => snapshot(bucket, 0));
    this.finalAtCut = [];
    this.nextLookAtMs = Infinity;
    for (const bucket of this.cut.values()) {
      const ageMs = nowMs - bucket.cutAtMs!;
      if (ageMs >= bucket.nextAgeMs) {
        records.push(snapshot(bucket, ageMs));
        bucket.previousAgeMs = Math.floor(ageMs);
        while (bucket.nextAgeMs <= ageMs) bucket.nextAgeMs = followingAgeMs(bucket.nextAgeMs);
      }
      this.lookAt(bucket.cutAtMs! + bucket.nextAgeMs);
    }
    for (const bucket of this.open.values()) this.lookAt(dueAtMs(bucket));
    return records;
  }

  private openBucket(routing: BucketRouting, now: Instant): LiveBucket {
    const number = this.nextNumber++;
    const bucket: LiveBucket = {
      number,
      routing,
      partition: (this.routerHash + number) % this.partitions,
      routedFromMs: now.wallMs,
      openedAtMs: now.monotonicMs,
      arms: routing.versions.map(() => ({ routed: 0, intended: 0, pending: 0, dropped: 0 })),
      routed: 0,
      pending: 0,
      armsMissing: routing.versions.length,
      cutAtMs: null,
      previousAgeMs: 0,
      nextAgeMs: RECORD_AGES_MS[0]!,
    };
    this.open.set(routing.model, bucket);
    this.lookAt(dueAtMs(bucket));
    return bucket;
  }

  private cutBucket(bucket: LiveBucket, nowMs: number): void {
    this.open.delete(bucket.routing.model);
    bucket.cutAtMs = nowMs;
    if (bucket.pending === 0) {
      this.finalAtCut.push(bucket);
      this.lookAt(nowMs);
    } else {
      this.cut.set(bucket.number, bucket);
      this.lookAt(nowMs + bucket.nextAgeMs);
    }
  }

  private lookAt(atMs: number): void {
    if (atMs < this.nextLookAtMs) this.nextLookAtMs = atMs;
  }
}

/** When an open bucket is to be cut, as things stand. */
function dueAtMs(bucket: LiveBucket): number {
  if (bucket.routed >= BUCKET_ROUTED_MIN && bucket.armsMissing === 0) return bucket.openedAtMs + BUCKET_AGE_MS;
  return bucket.openedAtMs + (bucket.arms.length === 1 ? BUCKET_AGE_MAX_ONE_ARM_MS : BUCKET_AGE_MAX_MS);
}

function mustBeCut(bucket: LiveBucket, nowMs: number): boolean {
  return nowMs >= dueAtMs(bucket);
}

function followingAgeMs(ageMs: number): number {
  const known = RECORD_AGES_MS[RECORD_AGES_MS.indexOf(ageMs) + 1];
  return RECORD_AGES_MS.includes(ageMs) && known !== undefined ? known : ageMs * RECORD_AGE_FACTOR;
}

function snapshot(bucket: LiveBucket, ageMs: number): BucketSnapshot {
  const versions: Record<string, BucketCounts> = {};
  bucket.routing.versions.forEach((version, i) => (versions[version] = { ...bucket.arms[i]! }));
  return {
    number: bucket.number,
    routing: bucket.routing,
    partition: bucket.partition,
    routedFromMs: bucket.routedFromMs,
    routedToMs: bucket.routedFromMs + Math.floor(bucket.cutAtMs! - bucket.openedAtMs),
    // Whole milliseconds, never more than the real age.
    ageMs: Math.floor(ageMs),
    previousAgeMs: bucket.previousAgeMs,
    versions,
    final: bucket.pending === 0,
  };
}
