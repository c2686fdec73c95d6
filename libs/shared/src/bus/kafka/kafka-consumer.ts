import type { BusConsumer, ConsumerOptions, GroupMember, TopicPartition } from '../message-bus.js';
import { GroupReader } from './group-reader.js';
import type { KafkaClient } from './kafka-client.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;
const MAX_WAIT_MS = 250;

interface Assigned {
  readonly partitions: readonly TopicPartition[];
  readonly member: GroupMember;
}

/** A member of a lasting group. */
export class KafkaConsumer implements BusConsumer {
  private readonly reader: GroupReader;
  private current: Assigned | null = null;
  private assignments = 0;

  constructor(
    client: KafkaClient,
    private readonly options: ConsumerOptions,
    private readonly closed: () => void,
  ) {
    const { groupId, topics, assignment, start, onOutOfRange, onBatch, onError } = options;
    this.reader = new GroupReader(client, () => ({
      topics,
      groupId,
      assigner: { assignment },
      readCommitted: options.readCommitted ?? false,
      maxBytesPerPartition: options.maxBytesPerPartition ?? BYTES_PER_PARTITION_MAX,
      maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS,
      start,
      commits: start === 'committed' && options.autoCommit !== false,
      onOutOfRange,
      onBatch,
      onAssigned: (partitions, memberId) => this.onAssigned(partitions, memberId),
      onLost: () => {
        this.current = null;
        options.onRevoked?.();
      },
      onMoved: () => undefined,
      onMissing: () => undefined,
      onUnreadable: (tp, records) => options.onUnreadable?.(tp, records),
      onError: (error) => onError?.(error),
    }));
  }

  assignment(): readonly TopicPartition[] | null {
    return this.current?.partitions ?? null;
  }

  groupMember(): GroupMember | null {
    return this.current?.member ?? null;
  }

  isCurrent(member: GroupMember): boolean {
    return this.current?.member === member;
  }

  async close(): Promise<void> {
    await this.reader.close();
    this.closed();
  }

  private onAssigned(partitions: readonly TopicPartition[], memberId: string): void {
    // kafkajs does not tell the group's generation; ours only has to differ from assignment to assignment.
    this.assignments += 1;
    const member = { groupId: this.options.groupId, memberId, generationId: this.assignments };
    this.current = { partitions, member };
    this.options.onAssigned?.(partitions);
  }
}
