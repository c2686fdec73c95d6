import type { BusFollower, BusRecord, Logger, MessageBus, RolloutState } from '@app/shared';
import { readStateRecord } from './read-record.js';
import type { RefusedRecord } from './records.js';

export interface PartitionStatesDeps {
  readonly bus: MessageBus;
  readonly topic: string;
  readonly partition: number;
  readonly logger: Logger;
}

/** The states of one partition's models, as its owner begins with them. */
export class PartitionStates {
  readonly models = new Map<string, RolloutState>();
  /** Models whose newest state cannot be read: nothing may be decided about them. */
  readonly unreadable = new Set<string>();
  /** What could not be read, until it is taken. */
  private refused: RefusedRecord[] = [];
  private follower: BusFollower | null = null;

  constructor(private readonly deps: PartitionStatesDeps) {}

  /** Reads the partition to its end. Rejects only when it is closed meanwhile. */
  async readToEnd(): Promise<void> {
    const { bus, topic, partition, logger } = this.deps;
    this.follower = bus.follower({
      topics: [topic],
      partitions: [partition],
      readCommitted: true,
      onBatch: (batch) => batch.records.forEach((record) => this.read(record)),
      onError: (error) => logger.warn({ err: error, partition }, 'reading states failed, it goes on by itself'),
    });
    await this.follower.caughtUp();
    await this.close();
  }

  takeRefused(): readonly RefusedRecord[] {
    const { refused } = this;
    this.refused = [];
    return refused;
  }

  async close(): Promise<void> {
    const { follower } = this;
    this.follower = null;
    await follower?.close();
  }

  private read(record: BusRecord): void {
    const model = record.key?.toString('utf8') ?? '';
    this.models.delete(model);
    this.unreadable.delete(model);
    const read = readStateRecord(record);
    if (read.kind === 'tombstone') return;
    if (read.kind === 'state') {
      this.models.set(model, read.state);
      return;
    }
    this.unreadable.add(model);
    const { topic, partition, logger } = this.deps;
    this.refused.push({ topic, partition, record, cause: read.cause });
    const at = { model, topic, partition, offset: record.offset, cause: read.cause };
    logger.error(at, 'a state cannot be read: nothing is decided about this model until a readable one stands there');
  }
}
