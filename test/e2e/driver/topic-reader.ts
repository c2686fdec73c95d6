import type { BusRecord, MessageBus, RecordCodec } from '@app/shared';

export interface ReadRecord<T> extends BusRecord {
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
        read.push({ ...record, partition, decoded: parsed.value });
      }
    },
  });
  await follower.caughtUp();
  await follower.close();
  return read.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}
