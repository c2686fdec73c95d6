import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BusBatch, BusConsumer, ConsumerOptions, MessageBus, OutRecord, TopicPartition } from './message-bus.js';
import { partitionOf } from './murmur2.js';

export interface BusHarness {
  readonly bus: MessageBus;
  close(): Promise<void>;
}

const WAIT = { timeout: 30_000, interval: 10 };
const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => {
    if (!condition()) throw new Error(`still not: ${condition.toString()}`);
  }, WAIT);

/** A broker writes the end of a transaction some milliseconds after it has said yes. */
const visible = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, WAIT);

/** What every message bus must do; run on memory and on a real broker. */
export function messageBusSuite(name: string, open: () => Promise<BusHarness>): void {
  describe(name, () => {
    let harness: BusHarness;
    let bus: MessageBus;
    let names = 0;
    const run = Math.random().toString(36).slice(2, 8);
    const unique = (what: string): string => `${what}-${run}-${++names}`;

    beforeAll(async () => {
      harness = await open();
      bus = harness.bus;
    });
    afterAll(() => harness.close());

    async function topic(partitions: number, config: Record<string, string> = {}): Promise<string> {
      const created = unique('suite');
      await bus.createTopics([{ topic: created, partitions, config }]);
      return created;
    }

    const record = (to: string, value: string, partition?: number): OutRecord => ({
      topic: to,
      key: value,
      value: Buffer.from(value),
      ...(partition === undefined ? {} : { partition }),
    });
    const numbered = (to: string, count: number, partition = 0): OutRecord[] =>
      Array.from({ length: count }, (_, i) => record(to, String(i), partition));

    async function send(records: readonly OutRecord[]): Promise<void> {
      const producer = bus.producer();
      await producer.send(records);
      await producer.close();
    }

    /** Everything in a topic, by partition. */
    async function contents(of: string, options: { readCommitted?: boolean } = {}): Promise<string[][]> {
      const values: string[][] = (await bus.offsets(of)).map(() => []);
      const follower = bus.follower({
        topics: [of],
        ...options,
        onBatch: (batch) => batch.records.forEach((r) => values[batch.partition]!.push(r.value?.toString() ?? 'null')),
      });
      await follower.caughtUp();
      await follower.close();
      return values;
    }

    /** A consumer that notes what it gets, and what it owns. */
    function collector(options: Partial<ConsumerOptions> & Pick<ConsumerOptions, 'topics'>): {
      consumer: BusConsumer;
      values: string[];
      batches: BusBatch[];
    } {
      const values: string[] = [];
      const batches: BusBatch[] = [];
      const consumer = bus.consumer({
        groupId: unique('group'),
        assignment: 'balanced',
        start: 'committed',
        onBatch: async (batch) => {
          batches.push(batch);
          for (const r of batch.records) values.push(r.value!.toString());
          return { kind: 'done' };
        },
        ...options,
      });
      return { consumer, values, batches };
    }

    const owned = (consumer: BusConsumer): string[] =>
      (consumer.assignment() ?? []).map((tp) => `${tp.topic}/${tp.partition}`);

    describe('producing', () => {
      it('keeps the order of each partition', async () => {
        const t = await topic(2);
        const producer = bus.producer();
        const sends: Promise<void>[] = [];
        for (let i = 0; i < 500; i++) sends.push(producer.send([record(t, String(i), i % 2)]));
        await Promise.all(sends);
        expect(producer.pendingBytes()).toBe(0);
        const [even, odd] = await contents(t);
        expect(even).toEqual(Array.from({ length: 250 }, (_, i) => String(2 * i)));
        expect(odd).toEqual(Array.from({ length: 250 }, (_, i) => String(2 * i + 1)));
      });

      it("puts a key where Java's murmur2 puts it", async () => {
        const t = await topic(7);
        const keys = Array.from({ length: 50 }, (_, i) => `key-${i}-é`);
        await send(keys.map((key) => record(t, key)));
        const found = await contents(t);
        found.forEach((values, partition) => {
          for (const key of values) expect(partitionOf(key, 7)).toBe(partition);
        });
        expect(found.flat().sort()).toEqual(keys.sort());
      });

      it('carries keys, tombstones, headers and log time', async () => {
        const t = await topic(1, { 'message.timestamp.type': 'LogAppendTime' });
        const before = Date.now() - 5000;
        await send([
          { topic: t, key: Buffer.from([0, 255]), value: null },
          {
            topic: t,
            partition: 0,
            key: null,
            value: Buffer.from('v'),
            headers: { ce_type: 'x', 'content-type': 'é' },
          },
        ]);
        const records: BusBatch['records'][number][] = [];
        const follower = bus.follower({ topics: [t], onBatch: (batch) => void records.push(...batch.records) });
        await follower.caughtUp();
        await follower.close();
        expect(records.map((r) => r.key)).toEqual([Buffer.from([0, 255]), null]);
        expect(records.map((r) => r.value)).toEqual([null, Buffer.from('v')]);
        expect(records.map((r) => r.headers)).toEqual([undefined, { ce_type: 'x', 'content-type': 'é' }]);
        expect(records.map((r) => r.offset)).toEqual([0, 1]);
        for (const r of records) expect(r.timestampMs).toBeGreaterThan(before);
      });

      it('refuses at once what no broker takes', async () => {
        const t = await topic(1);
        const producer = bus.producer();
        const tooLarge = { topic: t, key: 'k', value: Buffer.alloc(1_100_000) };
        expect(() => producer.offer([tooLarge])).toThrow(expect.objectContaining({ code: 'record-too-large' }));
        const nowhere = { topic: t, key: null, value: null };
        expect(() => producer.offer([nowhere])).toThrow(expect.objectContaining({ code: 'record-without-partition' }));
        await producer.close();
      });

      it('refuses an offer beyond the admission bound, and sends all it admitted', async () => {
        const t = await topic(1);
        const producer = bus.producer({ admissionBytesMax: 10_000 });
        const offers = numbered(t, 200).map((r) => ({ r, done: producer.offer([{ ...r, value: Buffer.alloc(500) }]) }));
        const admitted = offers.filter((o) => o.done !== null);
        expect(admitted.length).toBeGreaterThan(5);
        expect(admitted.length).toBeLessThan(200);
        expect(producer.pendingBytes()).toBeLessThanOrEqual(10_000);
        await Promise.all(admitted.flatMap((o) => o.done ?? []));
        expect((await bus.offsets(t))[0]).toMatchObject({ low: 0, end: admitted.length });
        await Promise.all([producer.send(numbered(t, 10)), producer.send(numbered(t, 10))]);
        await producer.close();
      });

      it('carries more than one batch can hold', async () => {
        const t = await topic(1);
        await send(Array.from({ length: 5 }, (_, i) => ({ ...record(t, String(i)), value: Buffer.alloc(700_000, i) })));
        expect((await contents(t))[0]!.map((v) => v.charCodeAt(0))).toEqual([0, 1, 2, 3, 4]);
      });

      it('flushes at close, and takes nothing after it', async () => {
        const t = await topic(1);
        const producer = bus.producer();
        const done = producer.offer(numbered(t, 10));
        expect(await producer.close()).toEqual([]);
        await done;
        expect(producer.offer(numbered(t, 1))).toBeNull();
        await expect(producer.send(numbered(t, 1))).rejects.toMatchObject({ code: 'producer-closed' });
        expect((await contents(t))[0]).toHaveLength(10);
      });
    });

    describe('following', () => {
      it('begins where it is told, in the partitions it is told, and goes on with what comes', async () => {
        const t = await topic(3);
        for (const p of [0, 1, 2]) await send(numbered(t, 10, p));
        const values: string[] = [];
        const follower = bus.follower({
          topics: [t],
          partitions: [1, 2],
          start: (tp) => (tp.partition === 1 ? 7 : undefined),
          onBatch: (batch) => batch.records.forEach((r) => values.push(`${batch.partition}:${r.offset}`)),
        });
        await follower.caughtUp();
        expect(values.filter((v) => v.startsWith('1:'))).toEqual(['1:7', '1:8', '1:9']);
        expect(values.filter((v) => v.startsWith('2:'))).toHaveLength(10);
        expect(values.some((v) => v.startsWith('0:'))).toBe(false);
        await until(() => follower.isCurrent());
        await send([record(t, 'later', 1)]);
        await until(() => values.includes('1:10'));
        await follower.close();
      });

      it('has caught up with an empty topic, with a compacted one, and with one that ends in markers', async () => {
        const t = await topic(2, { 'cleanup.policy': 'compact' });
        expect(await contents(t, { readCommitted: true })).toEqual([[], []]);
        const transactional = bus.transactionalProducer(unique('tx'));
        for (let i = 0; i < 3; i++) await transactional.transaction([{ ...record(t, `v${i}`, 0), key: 'same' }]);
        await transactional.close();
        await visible(async () => {
          const found = await contents(t, { readCommitted: true });
          expect(found[0]!.at(-1)).toBe('v2');
          expect((await bus.offsets(t))[0]!.end).toBe(6);
        });
      });

      it('brings a batch again when its handler failed, and catches up only after it', async () => {
        const t = await topic(1);
        await send(numbered(t, 3));
        const errors: unknown[] = [];
        let failures = 2;
        const values: string[] = [];
        const follower = bus.follower({
          topics: [t],
          onError: (error) => errors.push(error),
          onBatch: async (batch) => {
            if (failures-- > 0) throw new Error('not yet');
            for (const r of batch.records) values.push(r.value!.toString());
          },
        });
        await follower.caughtUp();
        expect(values).toEqual(['0', '1', '2']);
        expect(errors.length).toBeGreaterThanOrEqual(2);
        await follower.close();
      });

      it('ends what waits when it is closed', async () => {
        const t = await topic(1);
        await send(numbered(t, 1));
        let entered = false;
        const follower = bus.follower({
          topics: [t],
          onBatch: () => {
            entered = true;
            throw new Error('never');
          },
        });
        const waiting = follower.caughtUp();
        waiting.catch(() => undefined);
        await until(() => entered);
        await follower.close();
        await expect(waiting).rejects.toMatchObject({ code: 'follower-closed' });
      });
    });

    describe('consuming in a group', () => {
      it('hands out batches whose positions join without a gap', async () => {
        const t = await topic(1);
        await send(numbered(t, 300));
        const { consumer, values, batches } = collector({ topics: [t] });
        await until(() => values.length === 300);
        await send(numbered(t, 5));
        await until(() => values.length === 305);
        expect(values.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
        expect(batches.length).toBeLessThan(20);
        let position = 0;
        for (const batch of batches) {
          expect(batch.fetchedOffset).toBe(position);
          expect(batch.endOffset).toBeGreaterThanOrEqual(batch.nextOffset);
          position = batch.nextOffset;
        }
        await consumer.close();
      });

      it('goes on where the group committed', async () => {
        const t = await topic(1);
        const groupId = unique('group');
        await send(numbered(t, 10));
        const first = collector({ topics: [t], groupId });
        await until(() => first.values.length === 10);
        await first.consumer.close();
        await send([record(t, 'new', 0)]);
        const second = collector({ topics: [t], groupId });
        await until(() => second.values.length > 0);
        expect(second.values).toEqual(['new']);
        await second.consumer.close();
      });

      it('goes where the handler sends it', async () => {
        const t = await topic(1);
        await send(numbered(t, 20));
        const seen: number[] = [];
        const { consumer } = collector({
          topics: [t],
          start: () => undefined,
          onBatch: async (batch) => {
            seen.push(batch.fetchedOffset);
            if (seen.length === 1) return { kind: 'seek', offset: 5 };
            if (seen.length === 2) return { kind: 'seek', offset: 15 };
            return { kind: 'done' };
          },
        });
        await until(() => seen.length === 3);
        expect(seen).toEqual([0, 5, 15]);
        await consumer.close();
      });

      it('begins where the function says, and tells what is out of range', async () => {
        const t = await topic(3);
        for (const p of [0, 1, 2]) await send(numbered(t, 10, p));
        const wanted = [4, 99, undefined];
        const outOfRange: unknown[] = [];
        const { consumer, batches } = collector({
          topics: [t],
          start: (tp) => wanted[tp.partition],
          onOutOfRange: (tp, offset, low, end) => outOfRange.push([tp.partition, offset, low, end]),
        });
        await until(() => batches.some((b) => b.partition === 0) && batches.some((b) => b.partition === 2));
        await send([record(t, 'next', 1)]);
        await until(() => batches.some((b) => b.partition === 1));
        const firstOf = (p: number): number | undefined => batches.find((b) => b.partition === p)?.records[0]?.offset;
        expect([firstOf(0), firstOf(1), firstOf(2)]).toEqual([4, 10, 0]);
        expect(outOfRange).toEqual([[1, 99, 0, 10]]);
        await consumer.close();
      });

      it('brings a batch again when its handler failed, and commits nothing of it', async () => {
        const t = await topic(1);
        await send(numbered(t, 3));
        const errors: unknown[] = [];
        const offsets: number[] = [];
        const { consumer } = collector({
          topics: [t],
          onError: (error) => errors.push(error),
          onBatch: async (batch) => {
            offsets.push(batch.fetchedOffset);
            if (offsets.length < 3) throw new Error('not yet');
            return { kind: 'done' };
          },
        });
        await until(() => offsets.length === 3);
        expect(offsets).toEqual([0, 0, 0]);
        expect(errors.length).toBeGreaterThanOrEqual(2);
        await consumer.close();
      });

      it('shares the partitions out anew when a member comes or goes: each has one owner', async () => {
        const t = await topic(6);
        const groupId = unique('group');
        const assigned: (readonly TopicPartition[])[] = [];
        const revoked = vi.fn();
        const first = collector({ topics: [t], groupId, onAssigned: (tps) => assigned.push(tps), onRevoked: revoked });
        await until(() => owned(first.consumer).length === 6);
        expect(assigned[0]).toHaveLength(6);
        expect(first.consumer.groupMember()).toMatchObject({ groupId });
        const second = collector({ topics: [t], groupId });
        await until(() => owned(first.consumer).length === 3 && owned(second.consumer).length === 3);
        expect(revoked).toHaveBeenCalled();
        const all = [...owned(first.consumer), ...owned(second.consumer)];
        expect(new Set(all).size).toBe(6);
        for (let p = 0; p < 6; p++) await send(numbered(t, 10, p));
        await until(() => first.values.length + second.values.length === 60);
        for (const { consumer, batches } of [first, second]) {
          for (const b of batches) expect(owned(consumer)).toContain(`${t}/${b.partition}`);
        }
        await second.consumer.close();
        await until(() => owned(first.consumer).length === 6);
        await first.consumer.close();
        expect(first.consumer.assignment()).toBeNull();
      });

      it('spreads several topics over the members when balanced', async () => {
        const topics = [await topic(1), await topic(1)];
        const groupId = unique('group');
        const members = [collector({ topics, groupId }), collector({ topics, groupId })];
        await until(() => members.every((m) => owned(m.consumer).length === 1));
        await Promise.all(members.map((m) => m.consumer.close()));
      });

      it('gives partition i of all topics to one member when co-partitioned', async () => {
        const topics = [await topic(4), await topic(4)];
        const groupId = unique('group');
        const members = [1, 2].map(() => collector({ topics, groupId, assignment: 'co-partitioned' }));
        await until(() => members.every((m) => owned(m.consumer).length === 4));
        for (const { consumer } of members) {
          const partitions = topics.map((t) =>
            consumer
              .assignment()!
              .filter((tp) => tp.topic === t)
              .map((tp) => tp.partition)
              .sort(),
          );
          expect(partitions[0]).toEqual(partitions[1]);
        }
        await Promise.all(members.map((m) => m.consumer.close()));
      });

      it('closes after the handler in flight, and calls none after that', async () => {
        const t = await topic(2);
        await send(numbered(t, 1, 0));
        const gate = Promise.withResolvers<void>();
        let entered = 0;
        let left = 0;
        const { consumer } = collector({
          topics: [t],
          onBatch: async () => {
            entered += 1;
            await gate.promise;
            left += 1;
            return { kind: 'done' };
          },
        });
        await until(() => entered === 1);
        const closed = consumer.close();
        gate.resolve();
        await closed;
        expect(left).toBe(1);
        await send(numbered(t, 1, 0));
        expect(entered).toBe(1);
      });
    });

    describe('transactions', () => {
      it('write to several topics at once, with the offsets of the group', async () => {
        const input = await topic(1);
        const outputs = [await topic(1), await topic(1)];
        const groupId = unique('group');
        await send(numbered(input, 4));
        const transactional = bus.transactionalProducer(unique('tx'));
        await transactional.fence();
        const handled: BusBatch[] = [];
        const first: BusConsumer = bus.consumer({
          groupId,
          topics: [input],
          assignment: 'balanced',
          start: 'committed',
          autoCommit: false,
          onBatch: async (batch) => {
            const member = first.groupMember()!;
            const records = outputs.map((o) => record(o, `saw ${batch.records.length}`, 0));
            const { topic: of, partition } = batch;
            await transactional.transaction(records, {
              member,
              offsets: [{ topic: of, partition, offset: batch.fetchedOffset + 3 }],
            });
            handled.push(batch);
            return { kind: 'done' };
          },
        });
        await until(() => handled.length > 0);
        await first.close();
        await visible(async () => {
          for (const o of outputs) expect((await contents(o, { readCommitted: true }))[0]![0]).toMatch(/^saw/);
        });
        const second = collector({ topics: [input], groupId });
        await until(() => second.values.length > 0);
        expect(second.values[0]).toBe('3');
        await second.consumer.close();
        await transactional.close();
      });

      it('fence: the former owner of the id writes nothing any more', async () => {
        const t = await topic(1);
        const id = unique('tx');
        const former = bus.transactionalProducer(id);
        await former.transaction([record(t, 'former', 0)]);
        const owner = bus.transactionalProducer(id);
        await owner.fence();
        await expect(former.transaction([record(t, 'zombie', 0)])).rejects.toMatchObject({ code: 'fenced' });
        await expect(former.transaction([record(t, 'zombie', 0)])).rejects.toMatchObject({ code: 'fenced' });
        await owner.transaction([record(t, 'owner', 0)]);
        await visible(async () => {
          expect(await contents(t, { readCommitted: true })).toEqual([['former', 'owner']]);
        });
        await former.close();
        await owner.close();
      });
    });

    describe('topics', () => {
      it('are described when they exist, and creating them twice changes nothing', async () => {
        const t = await topic(2, { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' });
        await bus.createTopics([{ topic: t, partitions: 5 }]);
        const described = await bus.describeTopics([t, unique('absent')]);
        expect(described).toHaveLength(1);
        expect(described[0]).toMatchObject({
          topic: t,
          partitions: 2,
          config: { 'cleanup.policy': 'compact', 'message.timestamp.type': 'LogAppendTime' },
        });
        expect(await bus.offsets(t)).toEqual([
          { partition: 0, low: 0, end: 0 },
          { partition: 1, low: 0, end: 0 },
        ]);
      });
    });
  });
}
