import {
  type BusBatch,
  type BusFollower,
  type BusRecord,
  type Logger,
  type MessageBus,
  cloudEventData,
  rolloutStateCodec,
} from '@app/shared/core';
import type { Weights, WeightsListener, WeightsSource, WeightsStatus } from './weights.js';

export interface StateFollowerOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  readonly weights: Weights;
  readonly logger: Logger;
}

/** Keeps the weights at what topic rollout-state says. */
export class StateFollower implements WeightsSource {
  private caughtUp = false;
  private rejected = 0;
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

  subscribe(listener: WeightsListener): void {
    this.options.weights.subscribe(listener);
  }

  status(): WeightsStatus {
    return { caughtUp: this.caughtUp, current: this.follower.isCurrent(), rejected: this.rejected };
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
    const { weights, logger } = this.options;
    const data = cloudEventData(record.value, record.headers ?? {});
    if (data === null && record.key) return weights.remove(record.key.toString());
    const state = rolloutStateCodec.decode(data);
    if (state.ok) return weights.apply(state.value);
    this.rejected++;
    const at = { partition, offset: record.offset, problems: state.problems };
    logger.error(at, 'a state record cannot be read: the state before it stays');
  }
}
