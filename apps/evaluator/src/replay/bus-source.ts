import { checkTopics, type MessageBus, type PartitionOffsets, type TopicNames, type TopicRole } from '@app/shared';
import type { Reading, RecordSource, SourceBatch } from './record-source.js';

const ROLES: readonly TopicRole[] = ['outcome', 'label', 'verdict', 'decision', 'state'];

/** The topics themselves. Nothing is written, and no consumer group stays behind. */
export class BusSource implements RecordSource {
  private constructor(
    private readonly bus: MessageBus,
    readonly topics: TopicNames,
    readonly controlPartitions: number,
  ) {}

  /** Throws CanaryError `missing-topic` or `wrong-topic-setting`. */
  static async open(bus: MessageBus, topics: TopicNames): Promise<BusSource> {
    const { controlPartitions } = await checkTopics(bus, topics, ROLES);
    return new BusSource(bus, topics, controlPartitions);
  }

  offsets(role: TopicRole): Promise<readonly PartitionOffsets[]> {
    return this.bus.offsets(this.topics[role]);
  }

  async read(role: TopicRole, { partitions, upTo }: Reading, onBatch: (batch: SourceBatch) => void): Promise<void> {
    const topic = this.topics[role];
    const wanted = (await this.bus.offsets(topic)).filter(({ partition }) => partitions?.includes(partition) ?? true);
    const left = new Map(
      wanted.map(({ partition, low, end }) => [partition, Math.min(end, Math.max(low, upTo?.[partition] ?? end))]),
    );
    for (const { partition, low } of wanted) if (left.get(partition) === low) left.delete(partition);
    if (left.size === 0) return;
    const enough = Promise.withResolvers<void>();
    const follower = this.bus.follower({
      topics: [topic],
      partitions: [...left.keys()],
      readCommitted: true,
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
}
