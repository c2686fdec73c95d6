import { type BusRecord, type MessageBus, outcomeCodec, type RecordCodec } from '@app/shared';
import type { World } from './world.js';

export interface ReadRecord<T> extends Omit<BusRecord, 'headers'> {
  readonly partition: number;
  readonly decoded: T;
}

/** Everything that is in a topic now, decoded, by partition and offset: what a plain consumer finds. */
export async function readTopic<T>(bus: MessageBus, topic: string, codec: RecordCodec<T>): Promise<ReadRecord<T>[]> {
  const read: ReadRecord<T>[] = [];
  const follower = bus.follower({
    topics: [topic],
    readCommitted: true,
    onBatch: ({ partition, records }) => {
      for (const record of records) {
        const parsed = codec.decode(record.value);
        if (!parsed.ok) throw new Error(`${topic}/${partition}/${record.offset}: ${parsed.problems[0]?.message}`);
        const { offset, timestampMs, key, value } = record;
        read.push({ offset, timestampMs, key, value, partition, decoded: parsed.value });
      }
    },
  });
  await follower.caughtUp();
  await follower.close();
  return read.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** How many predictions of a model the outcome topic tells of; a record that was written twice counts once. */
export async function countOutcomes({ bus, topics }: World, model: string): Promise<number> {
  const seen = new Set<string>();
  const follower = bus.follower({
    topics: [topics.outcome],
    onBatch: ({ records }) => {
      for (const { value } of records) {
        const parsed = outcomeCodec.decode(value);
        if (!parsed.ok || parsed.value.model !== model) continue;
        const { router, lane, sequence } = parsed.value;
        seen.add(`${router}/${lane}/${sequence}`);
      }
    },
  });
  await follower.caughtUp();
  await follower.close();
  return seen.size;
}
