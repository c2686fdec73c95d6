import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import kafkajs from 'kafkajs';
import {
  type BusBatch,
  type BusConsumer,
  type ConsumerOptions,
  KafkaBus,
  type OutRecord,
  RecordsRefused,
  silentLogger,
  type UnreadableRecords,
} from '@app/shared';
import { SpecialServers } from '../../deploy/local/special-servers.js';
import { writeCompressed } from '../fixtures/raw-produce.js';
import { TcpProxy } from '../fixtures/tcp-proxy.js';

/**
 * kafkajs on a network that breaks, each client behind a proxy of its own. What a rule needs, and what was seen without
 * it (each was taken out once):
 *
 *   half-open to a producer      BatchSender drops a connection that does not answer       never acknowledged
 *   answer cut off               the identical batch again, by sequence                    every record twice
 *   slow answers                 the identical batch again, by sequence                    records twice, or lost
 *   closed in mid-flight         a new session after a sequence error                      never acknowledged
 *   missing topic, producer      a lane and metadata for each topic                        the others wait for ever
 *   too large for the topic      refused, after it was isolated                            the lane stands for ever
 *   half-open to a consumer      the watchdog's new life                                   no record ever again
 *   reset within a fetch answer  forgetTheDeadSocket                                       no record ever again
 *   broker up but silent         dropHalfOpenBroker, new life                              no record ever again
 *   slow handler                 heartbeats while it works                                 the batch comes again and again
 *   lost while handling          the fence by position and assignment                      the group goes back
 *   missing topic, consumer      only what exists is subscribed                            none is read
 *   200,000 records, 70 MB       our own reading of fetches                                stack overflow; out of memory, for ever
 *   unread records               one fetch at a time of bounded size                       all of the topic in memory
 */
const WAIT = { timeout: 45_000, interval: 20 };
const PROXIES = 9;
let servers: SpecialServers;
let direct: string;
let proxies: TcpProxy[];
let bus: KafkaBus;
let topics = 0;
let used = 0;

beforeAll(async () => {
  servers = await SpecialServers.prepare();
  proxies = await Promise.all(Array.from({ length: PROXIES }, () => TcpProxy.start()));
  const kafka = await servers.kafka({
    listeners: proxies.map((proxy, i) => ({ name: `PROXY${i}`, protocol: 'PLAINTEXT', advertisedPort: proxy.port })),
    settings: { 'group.min.session.timeout.ms': '1000' },
  });
  proxies.forEach((proxy, i) => proxy.leadTo(Number(kafka.listeners[`PROXY${i}`]!.split(':')[1])));
  direct = kafka.brokers;
  bus = new KafkaBus({ brokers: [direct], clientId: 'direct', logger: silentLogger });
});
afterAll(async () => {
  await bus?.close();
  await Promise.all((proxies ?? []).map((proxy) => proxy.stop()));
  await servers?.stop();
});

/** A bus of its own behind a proxy of its own. */
function proxied(): { proxy: TcpProxy; behind: KafkaBus } {
  const proxy = proxies[used++]!;
  return { proxy, behind: new KafkaBus({ brokers: [proxy.address], clientId: `c${used}`, logger: silentLogger }) };
}

async function topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
  const name = `network-${++topics}`;
  await bus.createTopics([{ topic: name, partitions, config }]);
  return name;
}

const record = (to: string, value: string | Buffer, partition = 0): OutRecord => ({
  topic: to,
  partition,
  key: null,
  value,
});
const numbered = (to: string, from: number, end: number): OutRecord[] =>
  Array.from({ length: end - from }, (_, i) => record(to, String(from + i)));
const numbers = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, i) => from + i);

/** In the order in which they came first: what was not committed yet may come again. */
const firstTimes = (values: readonly number[]): number[] => [...new Set(values)];

/** Everything in a topic of one partition. */
async function contents(of: string): Promise<number[]> {
  const values: number[] = [];
  const follower = bus.follower({
    topics: [of],
    onBatch: (batch) => batch.records.forEach((r) => values.push(Number(r.value!.toString()))),
  });
  await follower.caughtUp();
  await follower.close();
  return values;
}

/** A consumer that notes the numbers it gets. */
function reading(by: KafkaBus, options: Partial<ConsumerOptions> & Pick<ConsumerOptions, 'topics'>) {
  const values: number[] = [];
  const batches: BusBatch[] = [];
  const consumer: BusConsumer = by.consumer({
    groupId: `group-${++topics}`,
    assignment: 'balanced',
    start: 'committed',
    onBatch: async (batch) => {
      batches.push(batch);
      for (const r of batch.records) values.push(Number(r.value!.toString()));
      return { kind: 'done' };
    },
    ...options,
  });
  return { consumer, values, batches };
}

/** Writes on while something is done to the network. */
async function writing(to: string, behind: KafkaBus, disturb: () => Promise<void>): Promise<number> {
  const producer = behind.producer();
  let next = 0;
  let lost = 0;
  const timer = setInterval(() => {
    const offered = producer.offer(numbered(to, next, next + 5));
    if (!offered) return;
    next += 5;
    offered.catch(() => (lost += 1));
  }, 10);
  try {
    await vi.waitFor(async () => expect((await bus.offsets(to))[0]!.end).toBeGreaterThan(20), WAIT);
    await disturb();
    const before = (await bus.offsets(to))[0]!.end;
    await vi.waitFor(async () => expect((await bus.offsets(to))[0]!.end).toBeGreaterThan(before + 20), WAIT);
  } finally {
    clearInterval(timer);
  }
  expect(await producer.close({ flushMs: 30_000 })).toEqual([]);
  expect(lost).toBe(0);
  return next;
}

describe.concurrent('a producer', () => {
  it('makes a new connection when its own carries nothing any more; no record is lost or doubled', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    const sent = await writing(t, behind, async () => {
      expect(proxy.silence()).toBeGreaterThan(0);
      await vi.waitFor(() => expect(proxy.silence((c) => c.apiKeys.has(0))).toBeGreaterThan(0), WAIT);
    });
    expect(await contents(t)).toEqual(numbers(0, sent));
    await behind.close();
  });

  it('sends again what was written and whose answer was cut off, and it is not written twice', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    const sent = await writing(t, behind, async () => {
      for (let i = 0; i < 5; i++) {
        const from = proxy.bytesFromServer;
        proxy.resetWithinAnswer(10);
        await vi.waitFor(() => expect(proxy.bytesFromServer).toBeGreaterThan(from + 500), WAIT);
      }
    });
    expect(await contents(t)).toEqual(numbers(0, sent));
    await behind.close();
  });

  it('neither loses nor doubles what is acknowledged later than it waits, nor what comes after it', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    const sent = await writing(t, behind, async () => {
      proxy.delayMs = 2500;
      await new Promise((resolve) => setTimeout(resolve, 5000));
      proxy.heal();
    });
    expect(await contents(t)).toEqual(numbers(0, sent));
    await behind.close();
  });

  it('goes on in the partitions of one that was closed with a batch under way', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    await behind.producer().send(numbered(t, 0, 10));
    proxy.cut();
    const closed = behind.producer();
    void closed.offer(numbered(t, 10, 20));
    expect(await closed.close({ flushMs: 100 })).toHaveLength(10);
    proxy.heal();
    await behind.producer().send(numbered(t, 20, 30));
    expect(await contents(t)).toEqual(expect.arrayContaining([...numbers(0, 10), ...numbers(20, 30)]));
    await behind.close();
  });

  it('sends to other topics while one does not exist, and to that one once it does', async () => {
    const [good, missing] = [await topic(), `network-later-${++topics}`];
    const producer = bus.producer();
    let written = false;
    const waiting = producer.send(numbered(missing, 0, 10)).then(() => (written = true));
    for (let n = 0; n < 5; n++) await producer.send(numbered(good, n * 10, n * 10 + 10));
    expect(await contents(good)).toEqual(numbers(0, 50));
    expect(written).toBe(false);
    await bus.createTopics([{ topic: missing, partitions: 1 }]);
    await waiting;
    expect(await contents(missing)).toEqual(numbers(0, 10));
    await producer.close();
  });

  it('refuses the one record that the topic will never take, and writes the others in order', async () => {
    const t = await topic(1, { 'max.message.bytes': '20000' });
    const producer = bus.producer();
    const tooLarge = record(t, 'x'.repeat(30_000));
    const records = [...numbered(t, 0, 500), tooLarge, ...numbered(t, 500, 1000)];
    const refusal = await producer.send(records).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(RecordsRefused);
    expect((refusal as RecordsRefused).records).toEqual([tooLarge]);
    await producer.send(numbered(t, 1000, 1010));
    expect(await contents(t)).toEqual(numbers(0, 1010));
    await producer.close();
  });
});

describe.concurrent('a consumer', () => {
  it('lives again when its connections carry nothing any more: no record is left out', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    await bus.producer().send(numbered(t, 0, 10));
    const { consumer, values } = reading(behind, { topics: [t] });
    await vi.waitFor(() => expect(values).toHaveLength(10), WAIT);
    expect(proxy.silence()).toBeGreaterThan(1);
    await bus.producer().send(numbered(t, 10, 20));
    await vi.waitFor(() => expect(firstTimes(values)).toEqual(numbers(0, 20)), WAIT);
    await consumer.close();
    await behind.close();
  });

  it('reads on when an answer was cut off in its middle', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    const { consumer, values } = reading(behind, { topics: [t] });
    for (let n = 0; n < 30; n += 10) {
      await bus.producer().send(numbered(t, n, n + 10));
      await vi.waitFor(() => expect(new Set(values).size).toBe(n + 10), WAIT);
      proxy.resetWithinAnswer(30);
    }
    await bus.producer().send(numbered(t, 30, 40));
    await vi.waitFor(() => expect(firstTimes(values)).toEqual(numbers(0, 40)), WAIT);
    await consumer.close();
    await behind.close();
  });

  it('comes back from a broker that was gone, then there without a word', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    await bus.producer().send(numbered(t, 0, 10));
    const { consumer, values } = reading(behind, { topics: [t] });
    await vi.waitFor(() => expect(values).toHaveLength(10), WAIT);
    proxy.cut();
    await vi.waitFor(() => expect(consumer.assignment()).toBeNull(), WAIT);
    proxy.heal();
    proxy.hang();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    proxy.heal();
    proxy.reset();
    await bus.producer().send(numbered(t, 10, 20));
    await vi.waitFor(() => expect(firstTimes(values)).toEqual(numbers(0, 20)), WAIT);
    await consumer.close();
    await behind.close();
  });

  it('keeps its partitions while a batch takes longer than the session', async () => {
    const t = await topic();
    await bus.producer().send(numbered(t, 0, 10));
    let handled = 0;
    let revoked = 0;
    const { consumer } = reading(bus, {
      topics: [t],
      onRevoked: () => (revoked += 1),
      onBatch: async () => {
        handled += 1;
        await new Promise((resolve) => setTimeout(resolve, 7500));
        return { kind: 'done' };
      },
    });
    const admin = new kafkajs.Kafka({ brokers: [direct], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await vi.waitFor(() => expect(consumer.groupMember()).not.toBeNull(), WAIT);
    const { groupId } = consumer.groupMember()!;
    await vi.waitFor(async () => {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [t] });
      expect(offsets?.partitions[0]?.offset).toBe('10');
    }, WAIT);
    expect([handled, revoked]).toEqual([1, 0]);
    await admin.disconnect();
    await consumer.close();
  });

  it('commits nothing of what it was handling when its partitions went to another', async () => {
    const { proxy, behind } = proxied();
    const t = await topic();
    await bus.producer().send(numbered(t, 0, 10));
    const groupId = `taken-over-${t}`;
    const gate = Promise.withResolvers<void>();
    // No mocks among tests that run at once: each that begins clears the calls of all.
    let revoked = 0;
    let zombieEntered = false;
    const zombie = reading(behind, {
      topics: [t],
      groupId,
      onRevoked: () => (revoked += 1),
      onBatch: async () => {
        zombieEntered = true;
        await gate.promise;
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(zombieEntered).toBe(true), WAIT);
    proxy.hang();
    const owner = reading(bus, { topics: [t], groupId });
    await vi.waitFor(() => expect(owner.values).toEqual(numbers(0, 10)), WAIT);
    await bus.producer().send(numbered(t, 10, 20));
    await vi.waitFor(() => expect(owner.values).toEqual(numbers(0, 20)), WAIT);
    // It knows without being told, and while it still handles what it once got.
    await vi.waitFor(() => expect(revoked).toBeGreaterThan(0), WAIT);
    proxy.heal();
    proxy.reset();
    gate.resolve();
    await zombie.consumer.close();
    await owner.consumer.close();
    await bus.producer().send(numbered(t, 20, 30));
    const next = reading(bus, { topics: [t], groupId });
    await vi.waitFor(() => expect(next.values).toHaveLength(10), WAIT);
    expect(next.values).toEqual(numbers(20, 30));
    await next.consumer.close();
    await behind.close();
  });

  it('reads the topics that exist, and one that did not once it does', async () => {
    const [good, later] = [await topic(), `network-later-${++topics}`];
    await bus.producer().send(numbered(good, 0, 10));
    const errors: unknown[] = [];
    const { consumer, values } = reading(bus, { topics: [later, good], onError: (error) => errors.push(error) });
    await vi.waitFor(() => expect(values).toEqual(numbers(0, 10)), WAIT);
    expect(errors).toContainEqual(expect.objectContaining({ code: 'missing-topic' }));
    await bus.createTopics([{ topic: later, partitions: 1 }]);
    await bus.producer().send(numbered(later, 10, 20));
    await vi.waitFor(() => expect(values.toSorted((a, b) => a - b)).toEqual(numbers(0, 20)), WAIT);
    await consumer.close();
  });

  it('reads a batch of 200,000 records, and passes over one that would take all memory, saying so', async () => {
    const t = await topic(1, { 'max.message.bytes': '10000000' });
    await writeCompressed(
      direct,
      t,
      Array.from({ length: 200_000 }, () => record(t, '1')),
    );
    await writeCompressed(direct, t, [record(t, Buffer.alloc(70_000_000))]);
    await writeCompressed(direct, t, [record(t, '2')]);
    const unreadable: UnreadableRecords[] = [];
    let count = 0;
    let last = '';
    const { consumer } = reading(bus, {
      topics: [t],
      onUnreadable: (_tp, records) => unreadable.push(records),
      onBatch: async ({ records }) => {
        count += records.length;
        last = records.at(-1)?.value?.toString() ?? last;
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(last).toBe('2'), WAIT);
    expect(count).toBe(200_001);
    expect(unreadable).toMatchObject([{ firstOffset: 200_000, lastOffset: 200_000 }]);
    await consumer.close();
  });

  it('takes no more from the broker than it can hold while its handlers are busy', async () => {
    const { proxy, behind } = proxied();
    const t = await topic(24);
    const filling = Buffer.alloc(900_000, 'x');
    for (let i = 0; i < 48; i++) await bus.producer().send([record(t, filling, i % 24)]);
    const gate = Promise.withResolvers<void>();
    let bytes = 0;
    const { consumer } = reading(behind, {
      topics: [t],
      onBatch: async (batch) => {
        await gate.promise;
        bytes += batch.records.reduce((sum, r) => sum + r.value!.length, 0);
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(proxy.bytesFromServer).toBeGreaterThan(1_000_000), WAIT);
    let seen = 0;
    await vi.waitFor(
      () => {
        const before = seen;
        seen = proxy.bytesFromServer;
        expect(seen).toBe(before);
      },
      { ...WAIT, interval: 1500 },
    );
    expect(seen).toBeLessThan(10 * 1024 * 1024);
    gate.resolve();
    await vi.waitFor(() => expect(bytes).toBeGreaterThan(40_000_000), WAIT);
    await consumer.close();
    await behind.close();
  });
});
