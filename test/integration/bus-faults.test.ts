import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type BusRecord, KafkaBus, type OutRecord, silentLogger, type TransactionalProducer } from '@app/shared';
import type { LocalServer } from '../../deploy/local/local-server.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';

/** The broker is killed, stopped and absent under load. Not run on a broker that is not ours. */
const OURS = !process.env.KAFKA_BROKERS;
const PARTITIONS = 3;
const BATCH = 200;
const EVERY_MS = 20;
const HEAL = { timeout: 60_000, interval: 20 };

let stack: LocalStack;
let kafka: LocalServer;
let bus: KafkaBus;
let topics = 0;

const connected = (): KafkaBus =>
  new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'faults', logger: silentLogger });

beforeAll(async () => {
  if (!OURS) return;
  stack = await startLocalStack({ redis: false });
  kafka = stack.kafka!;
  bus = connected();
});
afterAll(async () => {
  await kafka?.signal('SIGCONT');
  await bus?.close();
  await stack?.stop();
});

async function topic(partitions = PARTITIONS): Promise<string> {
  const name = `faults-${++topics}`;
  await bus.createTopics([{ topic: name, partitions }]);
  return name;
}

/** Offers numbered records to all partitions until stopped; what is refused is not numbered. */
function load(to: string): { stop(): Promise<void>; sent: number[]; refused: () => number; acked: () => number } {
  const producer = bus.producer();
  const sent = Array.from({ length: PARTITIONS }, () => 0);
  let refused = 0;
  let acked = 0;
  const timer = setInterval(() => {
    const next = [...sent];
    const records: OutRecord[] = Array.from({ length: BATCH }, (_, i) => {
      const partition = i % PARTITIONS;
      return { topic: to, partition, key: null, value: Buffer.from(String(next[partition]!++)) };
    });
    const done = producer.offer(records);
    if (!done) {
      refused += 1;
      return;
    }
    sent.splice(0, PARTITIONS, ...next);
    void done.then(() => (acked += 1));
  }, EVERY_MS);
  return {
    sent,
    refused: () => refused,
    acked: () => acked,
    async stop() {
      clearInterval(timer);
      expect(await producer.close({ flushMs: 30_000 })).toEqual([]);
    },
  };
}

const numberOf = (record: BusRecord): number => Number(record.value!.toString());

/** Checks that every partition of a topic holds 0, 1, 2 ... n-1 and nothing else. */
async function expectExactly(of: string, sent: readonly number[]): Promise<void> {
  const found = sent.map(() => 0);
  const wrong: string[] = [];
  const follower = bus.follower({
    topics: [of],
    onBatch: (batch) => {
      for (const record of batch.records) {
        const expected = found[batch.partition]!++;
        if (numberOf(record) !== expected && wrong.length < 5) wrong.push(`${numberOf(record)} instead of ${expected}`);
      }
    },
  });
  await follower.caughtUp();
  await follower.close();
  expect(wrong).toEqual([]);
  expect(found).toEqual([...sent]);
}

/** Notes what a group member and a follower get: the next number by partition, gaps, and records that came twice. */
function readers(of: string) {
  const consumed = Array.from({ length: PARTITIONS }, () => 0);
  const followed = Array.from({ length: PARTITIONS }, () => 0);
  const lastBatch = Array.from({ length: PARTITIONS }, () => 0);
  const gaps: string[] = [];
  let again = 0;
  const follow = (into: number[]) => (partition: number, records: readonly BusRecord[]) => {
    for (const record of records) {
      const n = numberOf(record);
      if (n > into[partition]!) gaps.push(`${n} after ${into[partition]}`);
      if (n < into[partition]!) again += 1;
      into[partition] = Math.max(into[partition]!, n + 1);
    }
  };
  const consumer = bus.consumer({
    groupId: `group-of-${of}`,
    topics: [of],
    assignment: 'balanced',
    start: 'committed',
    onBatch: async ({ partition, records, fetchedOffset }) => {
      // Its commit may have been in flight at the fault; no batch before it may come again.
      if (fetchedOffset < lastBatch[partition]!) gaps.push(`back to ${fetchedOffset} before ${lastBatch[partition]}`);
      lastBatch[partition] = fetchedOffset;
      follow(consumed)(partition, records);
      return { kind: 'done' };
    },
  });
  const follower = bus.follower({
    topics: [of],
    onBatch: ({ partition, records }) => follow(followed)(partition, records),
  });
  return { consumer, follower, consumed, followed, gaps, again: () => again };
}

it.runIf(OURS)(
  'loses and doubles nothing when the broker is killed and then stopped under load, and readers come back by themselves',
  async () => {
    const t = await topic();
    const reading = readers(t);
    const producing = load(t);
    await vi.waitFor(() => expect(Math.min(...reading.consumed, ...reading.followed)).toBeGreaterThan(100), HEAL);

    await kafka.signal('SIGKILL');
    await delay(3000);
    expect(reading.follower.isCurrent()).toBe(false);
    const refusedAtStart = producing.refused();
    expect(refusedAtStart).toBeGreaterThan(0);
    await kafka.start();
    const openedAt = performance.now();
    const ackedBefore = producing.acked();
    await vi.waitFor(() => expect(producing.acked()).toBeGreaterThan(ackedBefore), HEAL);
    console.log(`first acknowledgement ${Math.round(performance.now() - openedAt)} ms after the port was open`);
    await caughtUp(reading, producing.sent, 'kill');

    await kafka.signal('SIGSTOP');
    await delay(10_000);
    await kafka.signal('SIGCONT');
    const continuedAt = performance.now();
    const ackedStopped = producing.acked();
    await vi.waitFor(() => expect(producing.acked()).toBeGreaterThan(ackedStopped), HEAL);
    console.log(`first acknowledgement ${Math.round(performance.now() - continuedAt)} ms after SIGCONT`);
    await caughtUp(reading, producing.sent, 'stop');

    await delay(1000);
    await producing.stop();
    await expectExactly(t, producing.sent);
    await vi.waitFor(() => expect(reading.consumed).toEqual(producing.sent), HEAL);
    await vi.waitFor(() => expect(reading.followed).toEqual(producing.sent), HEAL);
    expect(reading.gaps).toEqual([]);
    console.log(
      `records ${producing.sent.join('+')}, refused batches ${producing.refused()}, read again ${reading.again()}`,
    );
    await Promise.all([reading.consumer.close(), reading.follower.close()]);
  },
);

async function caughtUp(reading: ReturnType<typeof readers>, sent: readonly number[], after: string): Promise<void> {
  const since = performance.now();
  const target = [...sent];
  const reached = (position: readonly number[]): boolean => position.every((n, p) => n >= target[p]!);
  await vi.waitFor(() => expect(reached(reading.followed)).toBe(true), HEAL);
  const followerMs = performance.now() - since;
  await vi.waitFor(() => expect(reached(reading.consumed)).toBe(true), HEAL);
  // Less than a session: nobody waits for a member that is gone.
  expect(performance.now() - since).toBeLessThan(5500);
  console.log(
    `after ${after}: follower back in ${Math.round(followerMs)} ms, group in ${Math.round(performance.now() - since)} ms`,
  );
  await vi.waitFor(() => expect(reading.follower.isCurrent()).toBe(true), HEAL);
  await delay(500);
}

it.runIf(OURS)('starts with no broker there, and works once there is one', async () => {
  const t = await topic();
  await kafka.signal('SIGKILL');
  const late = connected();
  const values: string[] = [];
  const consumer = late.consumer({
    groupId: 'late',
    topics: [t],
    assignment: 'balanced',
    start: () => undefined,
    onBatch: async (batch) => {
      for (const r of batch.records) values.push(r.value!.toString());
      return { kind: 'done' };
    },
  });
  const follower = late.follower({ topics: [t], onBatch: () => undefined });
  const following = follower.caughtUp();
  const producer = late.producer();
  const sending = producer.send([{ topic: t, key: 'k', value: Buffer.from('first') }]);
  await expect(late.transactionalProducer('late').fence()).rejects.toMatchObject({ code: 'unclear' });
  expect(consumer.assignment()).toBeNull();
  await kafka.start();
  await sending;
  await following;
  await vi.waitFor(() => expect(values).toEqual(['first']), HEAL);
  await late.close();
});

it.runIf(OURS)('a transaction in a fault is unclear, and its successor writes on', async () => {
  const t = await topic(1);
  const write = (value: string): OutRecord[] => [{ topic: t, partition: 0, key: null, value: Buffer.from(value) }];
  const owner = async (): Promise<TransactionalProducer> => {
    const producer = bus.transactionalProducer('in-a-fault');
    await producer.fence();
    return producer;
  };
  // The broker may have come back from the fault before this one only now, and not know its coordinators yet.
  const former = await eventually(owner);
  await former.transaction(write('before'));
  await kafka.signal('SIGSTOP');
  const startedAt = performance.now();
  await expect(former.transaction(write('perhaps'))).rejects.toMatchObject({ code: 'unclear' });
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  await expect(former.transaction(write('never'))).rejects.toMatchObject({ code: 'unclear' });
  await kafka.signal('SIGCONT');
  const unclear = ['perhaps'];
  let last = '';
  // A broker that has just come back may not be ready to end a transaction yet: then that one is unclear, too.
  const successor = await eventually(async () => {
    const producer = await owner();
    if (last !== '') unclear.push(last);
    last = `after, attempt ${unclear.length}`;
    await producer.transaction(write(last));
    return producer;
  });
  const values: string[] = [];
  const follower = bus.follower({
    topics: [t],
    readCommitted: true,
    onBatch: (batch) => batch.records.forEach((r) => values.push(r.value!.toString())),
  });
  await follower.caughtUp();
  expect(values.filter((v) => !unclear.includes(v))).toEqual(['before', last]);
  await Promise.all([former.close(), successor.close(), follower.close()]);
});

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if ((error as { code?: string }).code !== 'unclear') throw error;
    }
  }
}
