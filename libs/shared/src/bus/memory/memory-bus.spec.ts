import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../clock.js';
import { messageBusSuite } from '../message-bus.suite.js';
import { MemoryBus } from './memory-bus.js';

messageBusSuite('the message bus in memory', async () => {
  const bus = new MemoryBus();
  return { bus, close: () => bus.close() };
});

const value = (text: string) => ({ topic: 't', partition: 0, key: null, value: Buffer.from(text) });

describe('MemoryBus', () => {
  it('keeps what was admitted while it is unavailable, refuses once the head is old, and sends all when it is back', async () => {
    const clock = new ManualClock(1000);
    const bus = new MemoryBus({ clock });
    await bus.createTopics([{ topic: 't', partitions: 1 }]);
    const producer = bus.producer();
    const follower = bus.follower({ topics: ['t'], onBatch: () => undefined });
    bus.setUnavailable(true);
    expect(follower.isCurrent()).toBe(false);
    const first = producer.offer([value('1')]);
    clock.advance(1500);
    const second = producer.offer([value('2')]);
    clock.advance(1);
    expect(producer.offer([value('3')])).toBeNull();
    const waiting = producer.send([value('4')]);
    bus.setUnavailable(false);
    await Promise.all([first, second, waiting]);
    expect((await bus.offsets('t'))[0]!.end).toBe(3);
    await follower.caughtUp();
    await bus.close();
  });

  it('gives back at close what was not acknowledged', async () => {
    const bus = new MemoryBus();
    await bus.createTopics([{ topic: 't', partitions: 1 }]);
    bus.setUnavailable(true);
    const producer = bus.producer();
    const done = producer.offer([value('1'), value('2')])!;
    const unclear = await producer.close({ flushMs: 1 });
    expect(unclear.map((r) => r.value!.toString())).toEqual(['1', '2']);
    await expect(done).rejects.toMatchObject({ code: 'producer-closed' });
    bus.setUnavailable(false);
    expect((await bus.offsets('t'))[0]!.end).toBe(0);
  });

  it('takes the assignment away while it is unavailable and gives it back', async () => {
    const bus = new MemoryBus();
    await bus.createTopics([{ topic: 't', partitions: 2 }]);
    const onRevoked = vi.fn();
    const consumer = bus.consumer({
      groupId: 'g',
      topics: ['t'],
      assignment: 'balanced',
      start: 'committed',
      onRevoked,
      onBatch: async () => ({ kind: 'done' }),
    });
    await vi.waitFor(() => expect(consumer.assignment()).toHaveLength(2));
    bus.setUnavailable(true);
    await vi.waitFor(() => expect(consumer.assignment()).toBeNull());
    expect(onRevoked).toHaveBeenCalledOnce();
    await expect(bus.transactionalProducer('x').fence()).rejects.toMatchObject({ code: 'unclear' });
    bus.setUnavailable(false);
    await vi.waitFor(() => expect(consumer.assignment()).toHaveLength(2));
    await bus.close();
  });

  it('leaves out a member whose handler hangs in a rebalance, and takes it in again when it ends', async () => {
    const bus = new MemoryBus({ rebalanceTimeoutMs: 20 });
    await bus.createTopics([{ topic: 't', partitions: 1 }]);
    await bus.producer().send([value('1')]);
    const gate = Promise.withResolvers<void>();
    const common = { groupId: 'g', topics: ['t'], assignment: 'balanced', start: 'committed' } as const;
    const handled: string[] = [];
    const hanging = bus.consumer({
      ...common,
      onBatch: async () => {
        handled.push('hanging');
        await gate.promise;
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(handled).toEqual(['hanging']));
    const other = bus.consumer({
      ...common,
      onBatch: async () => {
        handled.push('other');
        return { kind: 'done' };
      },
    });
    await vi.waitFor(() => expect(handled).toEqual(['hanging', 'other']));
    expect(hanging.assignment()).toBeNull();
    gate.resolve();
    await vi.waitFor(() => expect(hanging.assignment()!.length + other.assignment()!.length).toBe(1));
    await bus.close();
  });

  it('bounds a log by dropping the oldest, and readers that were overtaken go on from the lowest', async () => {
    const bus = new MemoryBus({ retentionRecordsMax: 100 });
    await bus.createTopics([{ topic: 't', partitions: 1 }]);
    await bus.producer().send(Array.from({ length: 1000 }, (_, i) => value(String(i))));
    const [range] = await bus.offsets('t');
    expect(range).toMatchObject({ end: 1000 });
    expect(range!.low).toBeGreaterThanOrEqual(875);
    const offsets: number[] = [];
    const follower = bus.follower({ topics: ['t'], onBatch: (b) => b.records.forEach((r) => offsets.push(r.offset)) });
    await follower.caughtUp();
    expect(offsets[0]).toBe(range!.low);
    expect(offsets.at(-1)).toBe(999);
    await bus.close();
  });

  it('tells a group that has committed nothing which records went before it came', async () => {
    const bus = new MemoryBus({ retentionRecordsMax: 100 });
    await bus.createTopics([{ topic: 't', partitions: 1 }]);
    await bus.producer().send(Array.from({ length: 1000 }, (_, i) => value(String(i))));
    const [range] = await bus.offsets('t');
    const outOfRange = vi.fn();
    bus.consumer({
      groupId: 'g',
      topics: ['t'],
      assignment: 'balanced',
      start: 'committed',
      onOutOfRange: outOfRange,
      onBatch: async () => ({ kind: 'done' }),
    });
    await vi.waitFor(() => expect(outOfRange).toHaveBeenCalledWith({ topic: 't', partition: 0 }, 0, range!.low, 1000));
    await bus.close();
  });

  it('compacts to the newest record of each key, at its old offset, and lets tombstones go after a day', async () => {
    const clock = new ManualClock(0);
    const bus = new MemoryBus({ clock, retentionRecordsMax: 10 });
    await bus.createTopics([{ topic: 't', partitions: 1, config: { 'cleanup.policy': 'compact' } }]);
    const producer = bus.producer();
    await producer.send([{ topic: 't', key: 'gone', value: null }]);
    clock.advance(2 * 86_400_000);
    await producer.send([{ topic: 't', key: 'fresh', value: null }]);
    for (let i = 0; i < 30; i++) await producer.send([{ topic: 't', key: `k${i % 3}`, value: Buffer.from(String(i)) }]);
    const found = new Map<string, string>();
    const offsets: number[] = [];
    const follower = bus.follower({
      topics: ['t'],
      onBatch: (b) =>
        b.records.forEach((r) => {
          found.set(r.key!.toString(), r.value?.toString() ?? 'tombstone');
          offsets.push(r.offset);
        }),
    });
    await follower.caughtUp();
    expect(Object.fromEntries(found)).toEqual({ fresh: 'tombstone', k0: '27', k1: '28', k2: '29' });
    expect(offsets.length).toBeLessThan(20);
    expect(offsets.at(-1)).toBe(31);
    await bus.close();
  });

  it('compacts by bytes too, since few large checkpoints would fill the memory', async () => {
    const bus = new MemoryBus();
    await bus.createTopics([{ topic: 't', partitions: 1, config: { 'cleanup.policy': 'compact' } }]);
    const producer = bus.producer();
    const large = Buffer.alloc(500_000);
    for (let i = 0; i < 100; i++) await producer.send([{ topic: 't', key: 'checkpoint', value: large }]);
    let records = 0;
    const follower = bus.follower({ topics: ['t'], onBatch: (b) => void (records += b.records.length) });
    await follower.caughtUp();
    expect(records).toBeLessThan(40);
    await bus.close();
  });
});
