import {
  type BusBatch,
  type BusFollower,
  type BusRecord,
  type Logger,
  type MessageBus,
  cloudEventData,
  rolloutStateCodec,
} from '@app/shared';
import type { DataDirectory } from './data-directory.js';
import type { RoutingTable } from './routing-table.js';

export interface StateFollowerOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  readonly table: RoutingTable;
  readonly dataDirectory: DataDirectory;
  readonly logger: Logger;
}

/** Keeps the routing table, and the data directory, at what topic rollout-state says. */
export class StateFollower {
  /** Everything that was there at the start was read. */
  caughtUp = false;
  /** Records that could not be read. */
  rejected = 0;
  private readonly follower: BusFollower;
  private told = false;

  constructor(private readonly options: StateFollowerOptions) {
    const { bus, topic } = options;
    this.follower = bus.follower({
      topics: [topic],
      readCommitted: true,
      onBatch: (batch) => this.read(batch),
      onError: (err) => this.tell(err),
    });
    this.whenCaughtUp = this.follower.caughtUp().then(
      () => void (this.caughtUp = true),
      () => undefined, // closed before
    );
  }

  /** Resolves when everything that was there at the start was read, or at close(). */
  readonly whenCaughtUp: Promise<void>;

  isCurrent(): boolean {
    return this.follower.isCurrent();
  }

  async close(): Promise<void> {
    await this.follower.close();
  }

  /** Once an outage. */
  private tell(err: unknown): void {
    if (this.told) return;
    this.told = true;
    this.options.logger.warn({ err }, 'weights cannot be followed: the last known ones are served');
  }

  private read(batch: BusBatch): void {
    this.told = false;
    for (const record of batch.records) this.readRecord(record, batch.partition);
  }

  private readRecord(record: BusRecord, partition: number): void {
    const { table, dataDirectory, logger } = this.options;
    const data = cloudEventData(record.value, record.headers ?? {});
    if (data === null && record.key) {
      const model = record.key.toString();
      table.remove(model);
      dataDirectory.forgetState(model);
      return;
    }
    const state = rolloutStateCodec.decode(data);
    if (!state.ok) {
      this.rejected++;
      const at = { partition, offset: record.offset, problems: state.problems };
      logger.error(at, 'a state record cannot be read: the state before it stays');
      return;
    }
    if (table.apply(state.value)) dataDirectory.keepState(state.value);
  }
}
