import type { OutcomeStatus } from '@app/shared/core';
import type { Bucket } from '../domain/bucket-cutter.js';
import { type Answer, NO_ANSWER } from '../domain/answer-reader.js';
import type { PredictionValue } from '../domain/prediction-value.js';
import type { Segment } from '../domain/segment.js';
import type { ServedModel, ServedVersion } from '../routing/served-model.js';
import type { DataPlaneParts } from './data-plane.js';

/** How a prediction ended at a version. */
export interface Ending {
  readonly version: ServedVersion;
  readonly status: OutcomeStatus;
  readonly httpStatus: number;
  readonly latencyMs: number;
  readonly firstByteMs?: number;
}

/** Where a prediction went, and when. */
export interface Routed {
  readonly model: ServedModel;
  /** User group. */
  readonly unit: number;
  /** Null: no evidence, because a tester named the version. */
  readonly bucket: Bucket | null;
  /** Null: the rollout has no segments. */
  readonly segment: Segment | null;
  /** By the monotonic clock. */
  readonly atMs: number;
}

/** Whoever compares what became of a prediction with something. */
export interface PredictionWitness {
  recorded(predictionId: string, value: PredictionValue, status: OutcomeStatus): void;
}

const SINCE_BUCKET_MS_MAX = 65_535;

/** What is said about one prediction: its id, to the client, and its one outcome. Both say the same. */
export class Prediction {
  private answer: Answer = NO_ANSWER;
  private failed: Ending | null = null;
  private sealedId: string | null = null;
  private recorded = false;
  private witness: PredictionWitness | null = null;

  constructor(
    private readonly parts: DataPlaneParts,
    private readonly routed: Routed,
  ) {}

  /** What the answer says; before its id is made. */
  answered(answer: Answer): void {
    this.answer = answer;
  }

  /** The version it was assigned to failed, and stable is asked in its place: the outcome is still that version's. */
  failedOver(ending: Ending): void {
    this.failed = ending;
    this.sealedId = null;
    this.answer = NO_ANSWER;
  }

  /** Stable answers in another's place: that one's outcome is known, and so is the id. */
  recordFailOver(answeredBy: ServedVersion): void {
    if (this.failed) this.record({ ...this.failed, version: answeredBy });
  }

  /** The id, which says what `answeredBy` answered; the same ever after. */
  id(answeredBy: ServedVersion): string {
    const counted = this.routed.bucket !== null && this.failed === null;
    return (this.sealedId ??= this.seal(answeredBy, this.answer.prediction, counted));
  }

  /** The id of a copy's answer, which is no evidence. */
  copyId(answeredBy: ServedVersion, value: PredictionValue): string {
    return this.seal(answeredBy, value, false);
  }

  private seal(answeredBy: ServedVersion, value: PredictionValue, counted: boolean): string {
    const { sealer, evidence, nextCounter } = this.parts;
    const { model, unit, segment } = this.routed;
    return sealer.seal({
      modelHash: model.modelHash,
      generation: model.plan.generation,
      versionIndex: answeredBy.planned.index,
      arm: answeredBy.planned.role,
      routedAt: this.routedAtWallMs(),
      sinceBucketMs: this.sinceBucketMs(),
      unit,
      segment: segment?.number ?? 0,
      routerHash: evidence.routerHash,
      counter: nextCounter(),
      valueKind: value.kind,
      value: value.sealed,
      counted,
    });
  }

  /** Puts out the outcome, once: of the version it was assigned to. `ending` is that of the version asked last. */
  record(ending: Ending): void {
    if (this.recorded) return;
    this.recorded = true;
    const { unit, bucket, segment } = this.routed;
    // The answer, if there is one, is stable's when the version failed.
    const { prediction, values, predictionBin } = this.failed ? NO_ANSWER : this.answer;
    const { version, status, httpStatus, latencyMs, firstByteMs } = this.failed ?? ending;
    version.metrics.predictions.count(status, latencyMs);
    this.parts.evidence.record(version, bucket, {
      predictionId: this.id(ending.version),
      bucket: bucket?.number ?? null,
      unit,
      routedAtMs: this.routedAtWallMs(),
      latencyMs,
      firstByteMs,
      status,
      httpStatus,
      prediction: prediction.shown,
      values,
      predictionBin,
      segment: segment?.name,
      fallback: this.failed !== null,
      override: bucket === null,
    });
    this.witness?.recorded(this.id(ending.version), prediction, status);
  }

  /** Its outcome is out. */
  get isRecorded(): boolean {
    return this.recorded;
  }

  /** To be told when its outcome is out. */
  compareWith(witness: PredictionWitness): void {
    this.witness = witness;
  }

  /** User group. */
  get unit(): number {
    return this.routed.unit;
  }

  /** Of its bucket's records; null if it is in none. */
  get partition(): number | null {
    return this.routed.bucket?.partition ?? null;
  }

  /** By the bucket's own clock where there is one: strata of labels are made of whole buckets. */
  routedAtWallMs(): number {
    const { clock } = this.parts;
    const { bucket, atMs } = this.routed;
    if (bucket) return bucket.routedFromMs + this.sinceBucketMs();
    return Math.round(clock.nowMs() - (clock.monotonicMs() - atMs));
  }

  private sinceBucketMs(): number {
    const { bucket, atMs } = this.routed;
    return bucket ? Math.min(SINCE_BUCKET_MS_MAX, Math.floor(atMs - bucket.openedAtMs)) : 0;
  }
}
