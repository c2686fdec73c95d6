import { setTimeout as delay } from 'node:timers/promises';
import {
  bucketCodec,
  createTopicsFor,
  loadConfig,
  MemoryBus,
  outcomeCodec,
  PredictionIdSealer,
  randomSealingKey,
  rolloutStateCodec,
  type RunningService,
  silentLogger,
  systemClock,
  topicNames,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EvaluatorConfig } from './config.js';
import { MemorySlotStore } from './slot-store/memory-slot-store.js';
import { startEvaluator } from './start.js';
import { aState } from './testing/builders.js';
import { until } from './testing/owner-stage.js';
import { recordingEngines } from './testing/recording-engine.js';

const TOPICS = topicNames();
const ENV = {
  KAFKA_BROKERS: 'memory:1',
  REDIS_URL: 'redis://memory',
  PREDICTION_ID_KEYS: `0:${Buffer.alloc(32).toString('base64')}`,
};
let bus: MemoryBus;
let verdicts: Verdict[];
const running: RunningService[] = [];

beforeEach(async () => {
  bus = new MemoryBus();
  verdicts = [];
  await createTopicsFor(bus, TOPICS, { dataPartitions: 2, controlPartitions: 2 });
  bus.follower({
    topics: [TOPICS.verdict],
    onBatch: ({ records }) => {
      for (const { value } of records) {
        const verdict = verdictCodec.decode(value);
        if (verdict.ok) verdicts.push(verdict.value);
      }
    },
  });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.close()));
  await bus.close();
});

async function start(slotStore = new MemorySlotStore()): Promise<RunningService> {
  const service = await startEvaluator({
    config: loadConfig(EvaluatorConfig, ENV),
    topics: TOPICS,
    bus,
    slotStore,
    sealer: new PredictionIdSealer([randomSealingKey()]),
    clock: systemClock,
    logger: silentLogger,
    engines: recordingEngines,
  });
  running.push(service);
  return service;
}
const isReady = async ({ url }: RunningService): Promise<boolean> =>
  (await fetch(`${url}/health/ready`)).status === 200;

/** One final bucket of ten predictions. */
async function send(bucket: number): Promise<void> {
  const identity = { model: 'fraud', generation: 2, router: 'r', lane: 0, bucket };
  const outcomes = Array.from({ length: 10 }, (_, i) =>
    outcomeCodec.encode({
      ...identity,
      kind: 'outcome',
      schemaVersion: 1,
      predictionId: `p-${bucket}-${i}`,
      version: i === 9 ? 'v2' : 'v1',
      sequence: bucket * 11 + i,
      unit: i,
      routedAt: Date.now(),
      latencyMs: 5,
      status: 'ok',
      httpStatus: 200,
    }),
  );
  const arm = (routed: number) => ({ routed, intended: routed, pending: 0, dropped: 0 });
  const record = bucketCodec.encode({
    ...identity,
    kind: 'bucket',
    schemaVersion: 1,
    sequence: bucket * 11 + 10,
    routedFrom: Date.now(),
    routedTo: Date.now(),
    ageMs: 0,
    previousAgeMs: 0,
    versions: { v1: arm(9), v2: arm(1) },
    final: true,
  });
  const producer = bus.producer();
  await producer.send([...outcomes, record].map((value) => ({ topic: TOPICS.outcome, partition: 0, key: 'r', value })));
  await producer.close();
}

async function decide(): Promise<void> {
  const value = rolloutStateCodec.encode(aState('fraud', 0));
  await bus.producer().send([{ topic: TOPICS.state, key: 'fraud', value }]);
}

const routed = (): number => {
  const baseline = verdicts.at(-1)?.baseline as { counts: Record<string, { routed: number }> } | undefined;
  return baseline?.counts['2/v1']?.routed ?? 0;
};

// Conditions are waited for, and a busy machine may take its time.
describe('an evaluator', { timeout: 30_000 }, () => {
  it('makes verdicts of outcomes, and says at its door how it fares', async () => {
    await decide();
    const service = await start();
    await until(() => isReady(service));
    for (let bucket = 0; bucket < 3; bucket++) await send(bucket);
    await until(() => routed() === 27);
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toMatch(/^model_canary_evaluator_folded_total\{kind="outcome"\} 30$/m);
    expect(metrics).toMatch(/^model_canary_evaluator_verdicts_total [1-9]/m);
    expect(metrics).toMatch(/^model_canary_evaluator_cut_lag_seconds [0-5]/m);
  });

  it('that follows another on the same store goes on where that one stopped', async () => {
    await decide();
    const store = new MemorySlotStore();
    const first = await start(store);
    await send(0);
    await until(() => routed() === 9);
    await first.close();
    await send(1);
    await start(store);
    await until(() => routed() === 18);
    expect(new Set(verdicts.map(({ reason }) => reason.code))).toEqual(new Set(['recorded']));
  });

  it('whose store is lost reads the topic again and counts nothing twice', async () => {
    await decide();
    const first = await start();
    await send(0);
    await send(1);
    await until(() => routed() === 18);
    await first.close();
    await start(new MemorySlotStore());
    await send(2);
    await until(() => routed() === 27);
    expect(new Set(verdicts.map(({ reason }) => reason.code))).toEqual(new Set(['recorded']));
  });

  it('is not ready while its store is away', async () => {
    const store = new MemorySlotStore();
    const service = await start(store);
    await until(() => isReady(service));
    store.readForOwner = () => Promise.reject(new Error('connection lost'));
    await until(async () => !(await isReady(service)));
    const answer = (await (await fetch(`${service.url}/health/ready`)).json()) as { reasons: string[] };
    expect(answer.reasons.join()).toMatch(/slot store does not answer: connection lost/);
  });

  it('refuses topics whose time is not the log’s', async () => {
    await bus.close();
    bus = new MemoryBus();
    await bus.createTopics([{ topic: TOPICS.outcome, partitions: 2 }]);
    await createTopicsFor(bus, TOPICS, { dataPartitions: 2, controlPartitions: 2 });
    await expect(start()).rejects.toMatchObject({ code: 'wrong-topic-setting' });
  });

  it('closes once however often it is told to', async () => {
    const service = await start();
    await Promise.all([service.close(), service.close()]);
    await delay(0);
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });
});
