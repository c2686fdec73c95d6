import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BusRecord,
  createRedis,
  createTopicsFor,
  KafkaBus,
  modelHash,
  partitionOf,
  PredictionIdSealer,
  RedisWindowReader,
  silentLogger,
  systemClock,
  type TopicNames,
  topicNames,
} from '@app/shared';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { GenerationDirectory } from '../../apps/evaluator/src/domain/slot/generation-directory.js';
import { OutcomeSlot } from '../../apps/evaluator/src/domain/slot/outcome-slot.js';
import type { PlacedSummary } from '../../apps/evaluator/src/domain/summary.js';
import { EvaluatorMetrics } from '../../apps/evaluator/src/metrics.js';
import { type RunningSlotOwner, startSlotOwner } from '../../apps/evaluator/src/slot-owner/slot-owner.js';
import { SlotCheckpoints } from '../../apps/evaluator/src/slot-owner/slot-checkpoints.js';
import { RedisSlotStore } from '../../apps/evaluator/src/slot-store/redis-slot-store.js';
import type { SlotId, WholeSlot } from '../../apps/evaluator/src/slot-store/slot-store.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { SyntheticRouter } from './evaluator-traffic.js';

const PARTITIONS = 4;
const CONTROL_PARTITIONS = 2;
const MODELS = ['digits', 'fraud', 'churn'];
const CHECKPOINT_EVERY_MS = 1_000;
const sealer = new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(32, 1) }]);

/** Knows what the synthetic router routes. */
const directory: GenerationDirectory = {
  model: (hash) => {
    const model = MODELS.find((name) => modelHash(name) === hash);
    if (model === undefined) return null;
    const version = (index: number): string | null => ['v1', 'v2'][index] ?? null;
    return { model, generation: 1, version, hasVersion: () => true, tolerance: 0, counted: () => null };
  },
};

let stack: LocalStack;
let redis: Redis;
let bus: KafkaBus;
let topics: TopicNames;
let store: RedisSlotStore;
let windows: RedisWindowReader;
let router: SyntheticRouter;
const opened: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  stack = await startLocalStack({ kafka: false });
});
afterAll(() => stack?.stop());

beforeEach(async () => {
  const prefix = `slots-${randomBytes(4).toString('hex')}`;
  topics = topicNames(`${prefix}.`);
  bus = newBus();
  redis = createRedis(stack.redisUrl, { logger: silentLogger, commandTimeoutMs: 1_000 });
  if (redis.status !== 'ready') await once(redis, 'ready');
  store = new RedisSlotStore({ redis, prefix, owners: CONTROL_PARTITIONS });
  windows = new RedisWindowReader(redis, prefix);
  await createTopicsFor(bus, topics, { dataPartitions: PARTITIONS, controlPartitions: CONTROL_PARTITIONS });
  const producer = bus.producer();
  router = new SyntheticRouter({ producer, topics, sealer, partitions: PARTITIONS, models: MODELS, seed: 3 });
});

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  redis.disconnect();
});

function newBus(): KafkaBus {
  const made = new KafkaBus({ brokers: inject('sharedKafka').split(','), clientId: 'slots', logger: silentLogger });
  opened.push(made);
  return made;
}

async function startOwner(): Promise<RunningSlotOwner> {
  const owner = await startSlotOwner({
    bus: newBus(),
    topics,
    store,
    directory,
    directoryCaughtUp: () => Promise.resolve(),
    slotCounts: { outcome: PARTITIONS, label: PARTITIONS },
    sealer,
    controlPartitions: CONTROL_PARTITIONS,
    groupId: topics.outcome,
    clock: systemClock,
    logger: silentLogger,
    metrics: new EvaluatorMetrics(Date.now),
    checkpointEveryMs: CHECKPOINT_EVERY_MS,
  });
  opened.push(owner);
  return owner;
}

/** Writes buckets for a while. */
async function traffic(ms: number): Promise<void> {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs) {
    await router.goOn(5, 1);
    await delay(20);
  }
}

const slotOf = (partition: number): SlotId => ({ kind: 'outcome', partition });

/** Waits until every slot has everything that is in the topic now. */
async function caughtUp(): Promise<void> {
  const ends = await bus.offsets(topics.outcome);
  await vi.waitFor(
    async () => {
      for (const { partition, end } of ends) {
        const view = await store.readForOwner(slotOf(partition), 0, Number.MAX_SAFE_INTEGER);
        expect(view?.position ?? 0).toBeGreaterThanOrEqual(end);
      }
    },
    { timeout: 60_000, interval: 200 },
  );
}

/** Every slot, against one fold of the whole topic in one go: the same fields, the same summaries at the same places. */
async function expectPureFunctions(): Promise<{ summaries: number; outcomes: number }> {
  // Ticks go on: the topic is read after the slots, so that it has all that they stand on.
  const slots = await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => (await store.loadWhole(slotOf(partition)))!),
  );
  const logs = slots.map((): BusRecord[] => []);
  const follower = bus.follower({
    topics: [topics.outcome],
    onBatch: ({ partition, records }) => void logs[partition]!.push(...records),
  });
  await follower.caughtUp();
  await follower.close();
  let [summaries, outcomes] = [0, 0];
  for (const [partition, log] of logs.entries()) {
    const whole = slots[partition]!;
    const { position } = whole.image;
    const records = log.filter(({ offset }) => offset < position);
    const folded = new OutcomeSlot(partition, CONTROL_PARTITIONS, null).foldBatch(records, position);
    outcomes += folded.counts.folded;
    expect(whole.image.logTimeMs).toBe(folded.logTimeMs);
    expect(sorted(whole.image.fields)).toEqual(sorted(folded.set));
    for (let owner = 0; owner < CONTROL_PARTITIONS; owner++) {
      const expected = folded.summaries.get(owner) ?? [];
      expect(whole.owners.get(owner)?.summaries ?? []).toEqual(expected);
      expect(expected.every(({ summary }) => partitionOf(summary.model, CONTROL_PARTITIONS) === owner)).toBe(true);
      summaries += expected.length;
    }
  }
  return { summaries, outcomes };
}

/** Outcomes that the windows show, of all models. */
async function shownOutcomes(): Promise<number> {
  let shown = 0;
  for (const model of MODELS)
    for (const window of await windows.read(model, { resolution: '1m', fromMs: 0, toMs: Date.now() + 60_000 }))
      for (const { routed } of window.versions.values()) shown += routed;
  return shown;
}

const sorted = (fields: ReadonlyMap<string, Buffer>) => [...fields].sort(([a], [b]) => (a < b ? -1 : 1));

describe('slots on a real Kafka and Redis', () => {
  it('are the same function of their partitions through owners that come and go', async () => {
    const first = await startOwner();
    await traffic(1_500);
    const second = await startOwner();
    await traffic(3_000);
    await first.close();
    await traffic(2_000);
    await startOwner();
    await second.close();
    await traffic(2_000);
    await router.finish();
    await caughtUp();
    const { summaries, outcomes } = await expectPureFunctions();
    expect(summaries).toBeGreaterThan(50);
    // The windows come after the slots, by a second and what ticks take.
    await vi.waitFor(async () => expect(await shownOutcomes()).toBe(outcomes), { timeout: 20_000, interval: 100 });
  });

  it('are the same function when Redis is flushed, stopped, and begins empty', async () => {
    await startOwner();
    await traffic(3_000);
    await redis.flushall();
    await traffic(2_000);
    if (stack.redis) {
      await stack.redis.signal('SIGSTOP');
      await traffic(3_000);
      await stack.redis.signal('SIGCONT');
      await traffic(1_500);
      await stack.redis.signal('SIGKILL');
      await traffic(1_500);
      await stack.redis.start();
    }
    await traffic(2_000);
    await router.finish();
    await caughtUp();
    expect((await expectPureFunctions()).summaries).toBeGreaterThan(50);
  });
});

describe('checkpoints of slots', () => {
  const checkpoints = () =>
    new SlotCheckpoints({
      bus,
      producer: bus.producer(),
      topic: topics.checkpoint,
      controlPartitions: CONTROL_PARTITIONS,
      logger: silentLogger,
      signal: new AbortController().signal,
    });
  const slotAt = (position: number, bytes: number): WholeSlot => {
    const summary = { kind: 'left-out', model: 'm', generation: 1, router: 'r', bucket: 1, routedFrom: 1, cause: 'lost', routed: { v1: 1 } } as const; // prettier-ignore
    const summaries: PlacedSummary[] = [{ offset: 3, index: 0, summary }];
    return {
      image: { position, logTimeMs: 7, fields: new Map([['b|r|1', randomBytes(bytes)]]) },
      owners: new Map([[1, { trimmedTo: 2, summaries }]]),
    };
  };

  it('come back whole, the newest one, also when they need several records', async () => {
    const [one, other] = [checkpoints(), checkpoints()];
    expect(await one.read(slotOf(0))).toBeNull();
    const large = slotAt(10, 2_500_000);
    expect(await one.write(slotOf(0), large)).toBeGreaterThan(2_400_000);
    expect(await other.read(slotOf(0))).toEqual(large);
    const small = slotAt(20, 1_000);
    await other.write(slotOf(0), small);
    await other.write(slotOf(1), slotAt(5, 10));
    expect(await one.read(slotOf(0))).toEqual(small);
    const older = slotAt(15, 1_000);
    await one.write(slotOf(0), older);
    expect((await other.read(slotOf(0)))?.image.position).toBe(20);
  });

  it('that were not finished do not count, and leave the one before whole', async () => {
    const good = slotAt(10, 1_900_000);
    await checkpoints().write(slotOf(0), good);
    const dying = bus.producer();
    let sends = 0;
    const killed = new SlotCheckpoints({
      bus,
      producer: {
        ...dying,
        send: (records) => (++sends > 2 ? Promise.reject(new Error('killed')) : dying.send(records)),
        offer: (records) => dying.offer(records),
        pendingBytes: () => 0,
        close: (options) => dying.close(options),
      },
      topic: topics.checkpoint,
      controlPartitions: CONTROL_PARTITIONS,
      logger: silentLogger,
      signal: new AbortController().signal,
    });
    await expect(killed.write(slotOf(0), slotAt(20, 1_900_000))).rejects.toThrow('killed');
    expect(await checkpoints().read(slotOf(0))).toEqual(good);
    await checkpoints().write(slotOf(0), slotAt(30, 1_900_000));
    expect((await checkpoints().read(slotOf(0)))?.image.position).toBe(30);
  });
});
