import { afterEach, describe, expect, it } from 'vitest';
import { MemoryBus } from './memory-bus.js';

let bus = new MemoryBus();
afterEach(async () => {
  await bus.close();
  bus = new MemoryBus();
});

describe('MemoryBus', () => {
  it('brings what a producer sent to a follower and to a group', async () => {
    await bus.createTopics([{ topic: 't', partitions: 3 }]);
    const seen: string[] = [];
    const followed: string[] = [];
    bus.consumer({
      groupId: 'g',
      topics: ['t'],
      assignment: 'balanced',
      start: 'committed',
      onBatch: async (batch) => {
        for (const r of batch.records) seen.push(r.value!.toString());
        return { kind: 'done' };
      },
    });
    const producer = bus.producer();
    await producer.send([1, 2, 3].map((n) => ({ topic: 't', key: `k${n}`, value: Buffer.from(String(n)) })));
    const follower = bus.follower({
      topics: ['t'],
      onBatch: (batch) => batch.records.forEach((r) => followed.push(r.value!.toString())),
    });
    await follower.caughtUp();
    await expect.poll(() => seen.sort()).toEqual(['1', '2', '3']);
    expect(followed.sort()).toEqual(['1', '2', '3']);
  });
});
