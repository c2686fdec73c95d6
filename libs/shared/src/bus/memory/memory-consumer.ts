import type { BusBatch, BusConsumer, ConsumerOptions, GroupMember, TopicPartition } from '../message-bus.js';
import { positionInRange } from '../start-position.js';
import type { MemoryBroker } from './memory-broker.js';
import type { GroupParticipant, MemoryGroup } from './memory-group.js';
import { MemoryReader } from './memory-reader.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;

export interface MemoryConsumerDeps {
  readonly broker: MemoryBroker;
  readonly options: ConsumerOptions;
  readonly memberId: string;
  readonly closed: () => void;
}

/** A member of a group: one reader for each partition of the present assignment. */
export class MemoryConsumer implements BusConsumer, GroupParticipant {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly strategy: ConsumerOptions['assignment'];
  private readonly broker: MemoryBroker;
  private readonly options: ConsumerOptions;
  private readonly closed: () => void;
  private readonly group: MemoryGroup;
  private readers: MemoryReader[] = [];
  private readonly ending = new Set<Promise<void>>();
  private current: { readonly partitions: readonly TopicPartition[]; readonly generationId: number } | null = null;
  private closing: Promise<void> | null = null;

  constructor({ broker, options, memberId, closed }: MemoryConsumerDeps) {
    // A topic that does not exist is told at once rather than waited for.
    for (const topic of options.topics) broker.logs(topic);
    this.broker = broker;
    this.options = options;
    this.memberId = memberId;
    this.closed = closed;
    this.topics = options.topics;
    this.strategy = options.assignment;
    this.group = broker.group(options.groupId);
    this.group.join(this);
  }

  assignment(): readonly TopicPartition[] | null {
    return this.current?.partitions ?? null;
  }

  groupMember(): GroupMember | null {
    if (!this.current) return null;
    const { groupId } = this.options;
    return { groupId, memberId: this.memberId, generationId: this.current.generationId };
  }

  close(): Promise<void> {
    this.closing ??= this.revoke().then(() => {
      this.group.leave(this.memberId);
      this.closed();
    });
    return this.closing;
  }

  revoke(): Promise<void> {
    for (const reader of this.readers) {
      const ended = reader.stop().finally(() => this.ending.delete(ended));
      this.ending.add(ended);
    }
    this.readers = [];
    if (this.current) {
      this.current = null;
      this.tell(() => this.options.onRevoked?.());
    }
    return Promise.all(this.ending).then(() => undefined);
  }

  assign(partitions: readonly TopicPartition[], generationId: number): void {
    if (this.closing) return;
    this.current = { partitions, generationId };
    const starts = partitions.map((tp) => ({ tp, position: this.startOf(tp) }));
    this.tell(() => this.options.onAssigned?.(partitions));
    this.readers = starts.map(({ tp, position }) => this.reader(tp, position));
  }

  private reader(tp: TopicPartition, start: number): MemoryReader {
    return new MemoryReader({
      broker: this.broker,
      tp,
      start,
      bytesMax: this.options.maxBytesPerPartition ?? BYTES_PER_PARTITION_MAX,
      handle: (batch) => this.handle(tp, batch),
      onMoved: (position) => {
        const { start: from, autoCommit } = this.options;
        if (from === 'committed' && autoCommit !== false) this.group.commit(tp, position);
      },
      onError: (error) => this.options.onError?.(error),
    });
  }

  private async handle(tp: TopicPartition, batch: BusBatch): Promise<number | undefined> {
    const result = await this.options.onBatch(batch);
    return result.kind === 'seek' ? this.inRange(tp, result.offset) : undefined;
  }

  private startOf(tp: TopicPartition): number {
    const { start } = this.options;
    if (start === 'committed') return this.inRange(tp, this.group.committedOffset(tp));
    let wanted: number | undefined;
    this.tell(() => (wanted = start(tp)));
    return this.inRange(tp, wanted);
  }

  private inRange(tp: TopicPartition, wanted: number | undefined): number {
    return positionInRange(tp, wanted, this.broker.logs(tp.topic)[tp.partition]!, this.options.onOutOfRange);
  }

  /** A callback that throws must not break the group. */
  private tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.onError?.(error);
    }
  }
}
