import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { KafkaBus, type OutRecord, silentLogger } from '@app/shared';
import { messageBusSuite } from '../../libs/shared/src/bus/message-bus.suite.js';

const WAIT = { timeout: 30_000, interval: 20 };
const brokers = (): string[] => inject('sharedKafka').split(',');
const connected = (): KafkaBus => new KafkaBus({ brokers: brokers(), clientId: 'suite', logger: silentLogger });

messageBusSuite('the message bus on Kafka', async () => {
  const bus = connected();
  return { bus, close: () => bus.close() };
});

describe('on Kafka alone', () => {
  let bus: KafkaBus;
  let raw: kafkajs.Kafka;
  const run = Date.now().toString(36);
  let topics = 0;

  beforeAll(() => {
    bus = connected();
    raw = new kafkajs.Kafka({ brokers: brokers(), logLevel: kafkajs.logLevel.NOTHING });
  });
  afterAll(() => bus.close());

  async function topic(): Promise<string> {
    const name = `kafka-alone-${run}-${++topics}`;
    await bus.createTopics([{ topic: name, partitions: 1 }]);
    return name;
  }
  const record = (to: string, value: string): OutRecord => ({
    topic: to,
    partition: 0,
    key: null,
    value: Buffer.from(value),
  });
  async function send(to: string, count: number): Promise<void> {
    const producer = bus.producer();
    await producer.send(Array.from({ length: count }, (_, i) => record(to, String(i))));
    await producer.close();
  }
  async function committed(of: string): Promise<string[]> {
    const values: string[] = [];
    const follower = bus.follower({
      topics: [of],
      readCommitted: true,
      onBatch: (batch) => batch.records.forEach((r) => values.push(r.value!.toString())),
    });
    await follower.caughtUp();
    await follower.close();
    return values;
  }

  /** As retention does: what lies below that offset is gone. */
  async function retainFrom(of: string, offset: number): Promise<void> {
    const admin = raw.admin();
    await admin.connect();
    await admin.fetchTopicOffsets(of);
    await admin.deleteTopicRecords({ topic: of, partitions: [{ partition: 0, offset: String(offset) }] });
    await admin.disconnect();
  }

  it('shows nothing of an aborted transaction, and stands before an open one', async () => {
    const t = await topic();
    const producer = raw.producer({ transactionalId: `raw-${t}`, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const aborted = await producer.transaction();
    await aborted.send({ topic: t, messages: [{ value: 'aborted' }] });
    await aborted.abort();
    expect(await committed(t)).toEqual([]);
    const ours = bus.transactionalProducer(`ours-${t}`);
    await ours.transaction([record(t, 'committed')]);
    const open = await producer.transaction();
    await open.send({ topic: t, messages: [{ value: 'open' }] });
    await vi.waitFor(async () => expect(await committed(t)).toEqual(['committed']), WAIT);
    // Five or six records and markers are there by now.
    expect((await bus.offsets(t))[0]!.end).toBeLessThan(5);
    await open.commit();
    await vi.waitFor(async () => expect(await committed(t)).toEqual(['committed', 'open']), WAIT);
    await producer.disconnect();
  });

  it('leaves no committed offsets behind when it follows', async () => {
    const t = await topic();
    await send(t, 3);
    await committed(t);
    const admin = raw.admin();
    await admin.connect();
    const { groups } = await admin.listGroups();
    const followers = groups.map(({ groupId }) => groupId).filter((groupId) => groupId.startsWith('suite-follower'));
    expect(followers.length).toBeGreaterThan(0);
    for (const groupId of followers) {
      const [offsets] = await admin.fetchOffsets({ groupId, topics: [t] });
      expect(offsets?.partitions.map((p) => p.offset)).toEqual(['-1']);
    }
    const { groups: described } = await admin.describeGroups(followers);
    // The broker drops an empty group without offsets within some minutes.
    expect(new Set(described.map(({ state }) => state))).toEqual(new Set(['Empty']));
    await admin.disconnect();
  });

  it('goes on from the lowest offset when retention has overtaken a reader', async () => {
    const t = await topic();
    await send(t, 100);
    await retainFrom(t, 40);
    const outOfRange: number[][] = [];
    const seen: number[] = [];
    let start = 20;
    const consumer = bus.consumer({
      groupId: `overtaken-${t}`,
      topics: [t],
      assignment: 'balanced',
      start: () => start,
      onOutOfRange: (tp, wanted, low, end) => outOfRange.push([tp.partition, wanted, low, end]),
      onBatch: async (batch) => {
        seen.push(...batch.records.map((r) => r.offset));
        if (seen.length > 60) return { kind: 'done' };
        // Back to what is taken away before it is fetched again.
        start = 45;
        await retainFrom(t, 70);
        return { kind: 'seek', offset: 45 };
      },
    });
    await vi.waitFor(() => expect(seen.length).toBe(90), WAIT);
    expect(seen[0]).toBe(40);
    expect(seen.slice(60)).toEqual(Array.from({ length: 30 }, (_, i) => 70 + i));
    expect(outOfRange[0]).toEqual([0, 20, 40, 100]);
    expect(outOfRange.at(-1)).toEqual([0, 45, 70, 100]);
    await consumer.close();
  });

  it('tells a group that has committed nothing which records went before it came', async () => {
    const t = await topic();
    await send(t, 100);
    await retainFrom(t, 40);
    const outOfRange = vi.fn();
    const seen: number[] = [];
    const consumer = bus.consumer({
      groupId: `late-${t}`,
      topics: [t],
      assignment: 'balanced',
      start: 'committed',
      onOutOfRange: outOfRange,
      onBatch: async ({ records }) => {
        seen.push(...records.map(({ offset }) => offset));
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(seen.length).toBe(60), WAIT);
    expect(seen[0]).toBe(40);
    expect(outOfRange.mock.calls).toEqual([[{ topic: t, partition: 0 }, 0, 40, 100]]);
    await consumer.close();
  });

  it('does not read what nobody asks for: an idle reader costs next to nothing', async () => {
    const t = await topic();
    const follower = bus.follower({ topics: [t], onBatch: () => undefined });
    await follower.caughtUp();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const before = performance.now();
    await vi.waitFor(() => expect(performance.now() - before).toBeGreaterThan(2000), WAIT);
    const perSecond = timers.mock.calls.length / 2;
    timers.mockRestore();
    // One fetch each 250 ms; unrepaired it is 2,500. waitFor itself sets none that this would see.
    expect(perSecond).toBeLessThan(200);
    await follower.close();
  });
});
