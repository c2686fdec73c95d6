import {
  type BusFollower,
  type BusRecord,
  cloudEventData,
  type Logger,
  type MessageBus,
  type RolloutState,
  rolloutStateCodec,
} from '@app/shared';

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

  async close(): Promise<void> {
    const { follower } = this;
    this.follower = null;
    await follower?.close();
  }

  private read(record: BusRecord): void {
    const model = record.key?.toString('utf8') ?? '';
    this.models.delete(model);
    this.unreadable.delete(model);
    if (record.value === null) return;
    const decoded = rolloutStateCodec.decode(cloudEventData(record.value, record.headers ?? {}));
    if (decoded.ok && decoded.value.model === model) {
      this.models.set(model, decoded.value);
      return;
    }
    this.unreadable.add(model);
    const problems = decoded.ok ? 'its key names another model' : decoded.problems;
    const { topic, partition, logger } = this.deps;
    const at = { model, topic, partition, offset: record.offset, problems };
    logger.error(at, 'a state cannot be read: nothing is decided about this model until a readable one stands there');
  }
}
