import {
  bucketCodec,
  type BusProducer,
  classHash,
  labelCodec,
  type ManualClock,
  modelHash,
  type OutRecord,
  outcomeCodec,
  type PredictionIdSealer,
  type TopicNames,
} from '@app/shared';
import { seededRandom } from './builders.js';

export interface RolloutTrafficOptions {
  readonly producer: BusProducer;
  readonly topics: TopicNames;
  readonly sealer: PredictionIdSealer;
  readonly clock: ManualClock;
  readonly model: string;
  /** Partitions of outcomes. */
  readonly partitions: number;
}

/** Ten buckets a second of one router; v1 is stable and v2 the canary. */
export interface Second {
  readonly generation: number;
  /** Predictions a bucket. */
  readonly stable: number;
  readonly canary: number;
  readonly canaryErrorShare?: number;
}

const BUCKET_MS = 100;
const PREDICTED = 'three';
const ERROR_SHARE = 0.02;

/** Writes what one router and the users' labels write, second by second, as its clock goes on. */
export class RolloutTraffic {
  private readonly random = seededRandom(11);
  private readonly sequences = new Map<number, number>();
  private bucket = 0;
  private counter = 0;

  constructor(private readonly options: RolloutTrafficOptions) {}

  async second(second: Second): Promise<void> {
    for (let i = 0; i < 1_000 / BUCKET_MS; i++) {
      this.options.clock.advance(BUCKET_MS);
      await this.options.producer.send(this.bucketOf(second));
    }
  }

  /** First a record with the last prediction of each arm still pending, then the final one. */
  private bucketOf({ generation, stable, canary, canaryErrorShare = ERROR_SHARE }: Second): OutRecord[] {
    const { model, partitions, clock } = this.options;
    const number = this.bucket++;
    const lane = number % partitions;
    const routedAt = clock.nowMs() - BUCKET_MS;
    const identity = { model, generation, router: 'r-1', lane, bucket: number };
    const labels: OutRecord[] = [];
    const outcomes = (version: string, count: number, errorShare: number) =>
      Array.from({ length: count }, () => {
        const predictionId = this.seal(generation, version === 'v1' ? 0 : 1, routedAt);
        if (this.random() < 0.9) labels.push(this.label(predictionId));
        const status = this.random() < errorShare ? ('error' as const) : ('ok' as const);
        const latencyMs = 20 + Math.floor(this.random() * 20);
        const httpStatus = status === 'ok' ? 200 : 500;
        const unit = Math.floor(this.random() * 64);
        return { predictionId, version, unit, routedAt, latencyMs, status, httpStatus };
      });
    const arms = { v1: outcomes('v1', stable, ERROR_SHARE), v2: outcomes('v2', canary, canaryErrorShare) };
    const write = (list: readonly (typeof arms.v1)[number][]): OutRecord[] =>
      list.map((rest) =>
        this.record(lane, (sequence) =>
          outcomeCodec.encode({ kind: 'outcome', schemaVersion: 1, ...identity, sequence, ...rest }),
        ),
      );
    const bucket = (pending: number): OutRecord => {
      const counts = (routed: number) => ({ routed, intended: routed, pending: Math.min(pending, routed), dropped: 0 });
      const look =
        pending > 0 ? { ageMs: 50, previousAgeMs: 0, final: false } : { ageMs: 250, previousAgeMs: 50, final: true };
      const versions = { v1: counts(stable), ...(canary > 0 ? { v2: counts(canary) } : {}) };
      return this.record(lane, (sequence) =>
        bucketCodec.encode({
          kind: 'bucket',
          schemaVersion: 1,
          ...identity,
          sequence,
          routedFrom: routedAt,
          routedTo: routedAt + BUCKET_MS,
          ...look,
          versions,
        }),
      );
    };
    const first = [arms.v1.slice(0, -1), arms.v2.slice(0, -1)].flat();
    const last = [arms.v1.slice(-1), arms.v2.slice(-1)].flat();
    return [...write(first), bucket(1), ...write(last), bucket(0), ...labels];
  }

  private seal(generation: number, versionIndex: number, routedAt: number): string {
    return this.options.sealer.seal({
      modelHash: modelHash(this.options.model),
      generation,
      versionIndex,
      arm: versionIndex === 0 ? 'stable' : 'canary',
      routedAt,
      sinceBucketMs: 0,
      unit: Math.floor(this.random() * 64),
      segment: 0,
      routerHash: 1,
      counter: this.counter++,
      valueKind: 'class',
      value: classHash(PREDICTED),
      counted: true,
    });
  }

  private label(predictionId: string): OutRecord {
    const label = this.random() < 0.95 ? PREDICTED : 'other';
    return { topic: this.options.topics.label, key: predictionId, value: labelCodec.encode({ predictionId, label }) };
  }

  private record(lane: number, encode: (sequence: number) => Buffer): OutRecord {
    const sequence = this.sequences.get(lane) ?? 0;
    this.sequences.set(lane, sequence + 1);
    return { topic: this.options.topics.outcome, partition: lane, key: 'r-1', value: encode(sequence) };
  }
}
