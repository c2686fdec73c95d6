import {
  checkTopics,
  type MessageBus,
  type PartitionOffsets,
  readTopic,
  type TopicNames,
  type TopicRole,
} from '@app/shared';
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

  read(role: TopicRole, reading: Reading, onBatch: (batch: SourceBatch) => void): Promise<void> {
    return readTopic(this.bus, { topic: this.topics[role], ...reading, onBatch });
  }
}
