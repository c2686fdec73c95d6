import type { BusBatch, MessageBus } from './message-bus.js';

export interface TopicReading {
  readonly topic: string;
  /** Only these; default all. */
  readonly partitions?: readonly number[];
  /** By partition: enough is read once this position is reached. Default: all that is there now. */
  readonly upTo?: readonly number[];
  readonly onBatch: (batch: BusBatch) => void;
  /** The reader goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Reads what is in a topic now, from the first record that is left, committed ones only. The last batches may go beyond
 * what was asked for. Rejects with what onBatch throws; waits as long as the broker is away.
 */
export async function readTopic(bus: MessageBus, reading: TopicReading): Promise<void> {
  const { topic, partitions, upTo, onBatch, onError } = reading;
  const left = new Map<number, number>();
  for (const { partition, low, end } of await bus.offsets(topic)) {
    const target = Math.min(end, upTo?.[partition] ?? end);
    if (target > low && (partitions?.includes(partition) ?? true)) left.set(partition, target);
  }
  if (left.size === 0) return;
  const enough = Promise.withResolvers<void>();
  const follower = bus.follower({
    topics: [topic],
    partitions: [...left.keys()],
    readCommitted: true,
    onError,
    onBatch: (batch) => {
      const target = left.get(batch.partition);
      if (target === undefined) return;
      try {
        onBatch(batch);
      } catch (error) {
        enough.reject(error);
        return;
      }
      if (batch.nextOffset < target) return;
      left.delete(batch.partition);
      if (left.size === 0) enough.resolve();
    },
  });
  try {
    // A partition may end in markers that no batch shows; then the follower says that it is through.
    await Promise.race([enough.promise, follower.caughtUp()]);
  } finally {
    await follower.close();
  }
}
