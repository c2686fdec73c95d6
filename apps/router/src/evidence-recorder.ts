import type { Clock } from '@app/shared/core';
import { type Bucket, BucketCutter, type BucketRouting, type BucketSnapshot } from './domain/bucket-cutter.js';
import { xxh32 } from './domain/hash.js';
import { type OutcomeFields, bucketText, outcomeText } from './domain/outcome-text.js';
import type { OutcomePublisher } from './publishing/outcome-publisher.js';
import type { ServedVersion } from './routing/served-model.js';

/** Buckets are looked at no more often than this. */
const LOOK_MS_MIN = 5;

/**
 * Puts predictions into buckets and their outcomes, and what the buckets look like, into the lanes: always the outcome
 * first and then what its bucket has to say about it.
 */
export class EvidenceRecorder {
  /** Low bits of it stand in prediction ids. */
  readonly routerHash: number;
  private readonly cutter: BucketCutter;
  private readonly overridePartition: number;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;

  constructor(
    private readonly parts: {
      readonly router: string;
      readonly partitions: number;
      readonly publisher: OutcomePublisher;
      readonly clock: Clock;
    },
  ) {
    this.routerHash = xxh32(parts.router);
    this.cutter = new BucketCutter(this.routerHash, parts.partitions);
    this.overridePartition = this.routerHash % parts.partitions;
    parts.publisher.dropListener = (bucket, arm, tally) => this.cutter.drop(bucket, arm, tally.model);
  }

  get liveBuckets(): number {
    return this.cutter.liveBuckets;
  }

  /** A prediction is routed: the arm that the hash chose is the one it is sent to. */
  route(routing: BucketRouting, arm: number, monotonicMs: number): Bucket {
    const { clock } = this.parts;
    const bucket = this.cutter.route(routing, { intended: arm, routed: arm }, { monotonicMs, wallMs: clock.nowMs() });
    if (this.cutter.nextAtMs < this.timerAtMs) this.arm(monotonicMs);
    return bucket;
  }

  /** What became of a prediction; `bucket` is what route() gave, or null if it is no evidence. */
  record(version: ServedVersion, bucket: Bucket | null, fields: OutcomeFields): void {
    const { publisher, clock } = this.parts;
    const partition = bucket?.partition ?? this.overridePartition;
    publisher.publish({
      partition,
      key: fields.predictionId,
      text: outcomeText(version.outcomePrefix, partition, publisher.nextSequence(partition), fields),
      tally: version.tally,
      bucket: fields.bucket,
      arm: version.arm,
    });
    const final = bucket && this.cutter.settle(bucket, version.arm, clock.monotonicMs());
    if (final) this.publishBucket(final);
  }

  /** What became of a copy: shown, and in no bucket. */
  recordCopy(version: ServedVersion, partition: number | null, fields: OutcomeFields): void {
    const { publisher } = this.parts;
    const lane = partition ?? this.overridePartition;
    publisher.publish({
      partition: lane,
      key: fields.predictionId,
      text: outcomeText(version.outcomePrefix, lane, publisher.nextSequence(lane), fields),
      tally: version.tally,
      bucket: null,
      arm: version.arm,
    });
  }

  /** A model's routing changes: its bucket ends here. */
  cutModel(model: string): void {
    this.cutter.cutModel(model, this.parts.clock.monotonicMs());
    this.look();
  }

  /** Ends all buckets and stops looking: what is pending now stays pending. */
  close(): void {
    this.cutter.cutAll(this.parts.clock.monotonicMs());
    this.look();
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = -Infinity;
  }

  private look(): void {
    const nowMs = this.parts.clock.monotonicMs();
    for (const record of this.cutter.advance(nowMs)) this.publishBucket(record);
    this.arm(nowMs);
  }

  private arm(nowMs: number): void {
    if (this.timerAtMs === -Infinity) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = this.cutter.nextAtMs;
    const inMs = Math.max(LOOK_MS_MIN, Math.ceil(this.timerAtMs - nowMs));
    this.timer = this.timerAtMs === Infinity ? null : setTimeout(() => this.look(), inMs);
  }

  private publishBucket(record: BucketSnapshot): void {
    const { publisher, router } = this.parts;
    const { partition } = record;
    publisher.publish({
      partition,
      key: router,
      text: bucketText(router, publisher.nextSequence(partition), record),
      tally: null,
      bucket: null,
      arm: 0,
    });
  }
}
