import { randomBytes } from 'node:crypto';
import {
  bucketCodec,
  classHash,
  type MessageBus,
  modelHash,
  type Outcome,
  outcomeCodec,
  type OutRecord,
  PredictionIdSealer,
  randomSealingKey,
} from '@app/shared';

export interface BacklogOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  readonly partitions: number;
  readonly models: readonly string[];
  readonly generation: number;
  readonly routers: number;
  /** Outcomes of a bucket: 500 predictions/s of one router and model. */
  readonly perBucket: number;
  readonly outcomes: number;
}

const RECORDS_PER_SEND = 1_000;

/**
 * Writes what routers write: outcomes of some 400 bytes in buckets, a tenth of them the canary's, two errors in a
 * hundred, every fourth bucket final at its second record only. Returns how many records and bytes it took.
 */
export async function writeBacklog(options: BacklogOptions): Promise<{ records: number; bytes: number }> {
  const { bus, topic, partitions, models, generation, routers, perBucket, outcomes } = options;
  const sealer = new PredictionIdSealer([randomSealingKey()]);
  const producer = bus.producer();
  const ids = Array.from({ length: routers }, (_, r) => `router-${r}-${randomBytes(8).toString('hex')}`);
  const sequences = new Map<string, number>();
  let records: OutRecord[] = [];
  let [count, bytes, sent] = [0, 0, Promise.resolve()];
  const write = (router: string, lane: number, encode: (sequence: number) => Buffer): void => {
    const key = `${router}/${lane}`;
    const sequence = sequences.get(key) ?? 0;
    sequences.set(key, sequence + 1);
    const value = encode(sequence);
    records.push({ topic, partition: lane, key: null, value });
    count += 1;
    bytes += value.length;
  };
  for (let bucket = 0; bucket * perBucket < outcomes; bucket++) {
    const router = ids[bucket % routers]!;
    const model = models[bucket % models.length]!;
    const lane = bucket % partitions;
    const routedFrom = Date.now();
    const canaries = Math.max(1, Math.round(perBucket / 10));
    const one = (i: number): void =>
      write(router, lane, (sequence) =>
        outcomeCodec.encode(anOutcome({ model, generation, router, lane, sequence, bucket }, sealer, i, i < canaries)),
      );
    const summary = (pending: number): void =>
      write(router, lane, (sequence) => {
        const arm = (routed: number, left: number) => ({ routed, intended: routed, pending: left, dropped: 0 });
        const versions = { v1: arm(perBucket - canaries, pending), v2: arm(canaries, 0) };
        const ages = pending > 0 ? [50, 0] : [bucket % 4 === 0 ? 250 : 50, bucket % 4 === 0 ? 50 : 0];
        const times = { routedFrom, routedTo: routedFrom + 100, ageMs: ages[0]!, previousAgeMs: ages[1]! };
        const head = { kind: 'bucket', schemaVersion: 1, model, generation, router, lane, sequence, bucket } as const;
        return bucketCodec.encode({ ...head, ...times, versions, final: pending === 0 });
      });
    for (let i = 0; i < perBucket - 1; i++) one(i);
    if (bucket % 4 === 0) summary(1);
    one(perBucket - 1);
    summary(0);
    if (records.length < RECORDS_PER_SEND) continue;
    await sent;
    sent = producer.send(records);
    records = [];
  }
  await sent;
  await producer.send(records);
  await producer.close();
  return { records: count, bytes };
}

type Place = Pick<Outcome, 'model' | 'generation' | 'router' | 'lane' | 'sequence'> & { readonly bucket: number };

function anOutcome(place: Place, sealer: PredictionIdSealer, i: number, canary: boolean): Outcome {
  const { model, generation, bucket } = place;
  const unit = (bucket * 31 + i * 7) % 64;
  const routedAt = Date.now();
  const failed = (bucket + i) % 50 === 0;
  const predictionId = sealer.seal({
    modelHash: modelHash(model),
    generation,
    versionIndex: canary ? 1 : 0,
    arm: canary ? 'canary' : 'stable',
    routedAt,
    sinceBucketMs: 0,
    unit,
    segment: 0,
    routerHash: 1,
    counter: bucket * 64 + i,
    valueKind: 'class',
    value: classHash(i % 10),
    counted: true,
  });
  return {
    kind: 'outcome',
    schemaVersion: 1,
    predictionId,
    ...place,
    version: canary ? 'v2' : 'v1',
    unit,
    routedAt,
    latencyMs: 20 + ((bucket * 13 + i * 29) % 1000) / 7,
    status: failed ? 'error' : 'ok',
    httpStatus: failed ? 503 : 200,
    prediction: String(i % 10),
  };
}
