import { randomUUID } from 'node:crypto';
import { CanaryError } from '../../errors.js';
import type { BatchResult, BusFollower, FollowerOptions, TopicPartition } from '../message-bus.js';
import { Ending } from './ending.js';
import { GroupReader } from './group-reader.js';
import { type KafkaClient, partitionKey, type Ranges } from './kafka-client.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;
const MAX_WAIT_MS = 250;
const CURRENT_AGE_MS_MAX = 3000;
const ASK_AGAIN_MS = 200;
const DONE: BatchResult = { kind: 'done' };

interface Waiter {
  readonly targets: Ranges;
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Reads partitions on its own: a group of its own for each life, of which nothing stays, as it never commits. It goes on
 * from where it was.
 */
export class KafkaFollower implements BusFollower {
  private readonly reader: GroupReader;
  private readonly positions = new Map<string, number>();
  private readonly waiters = new Set<Waiter>();
  private readonly ending = new Ending();

  constructor(
    private readonly client: KafkaClient,
    private readonly options: FollowerOptions,
    private readonly closed: () => void,
  ) {
    this.reader = new GroupReader(client, () => ({
      topics: options.topics,
      groupId: `${client.clientId}-follower-${randomUUID()}`,
      assigner: { assignment: 'balanced', only: options.partitions },
      readCommitted: options.readCommitted ?? false,
      maxBytesPerPartition: BYTES_PER_PARTITION_MAX,
      maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS,
      start: (tp) => this.positions.get(partitionKey(tp)) ?? options.start?.(tp),
      commits: false,
      onBatch: async (batch) => {
        await options.onBatch(batch);
        return DONE;
      },
      onAssigned: () => undefined,
      onLost: () => undefined,
      onMoved: (tp, position) => this.onMoved(tp, position),
      onMissing: () => undefined,
      onUnreadable: () => undefined,
      onError: (error) => options.onError?.(error),
    }));
  }

  async caughtUp(): Promise<void> {
    const targets = await this.ends();
    if (this.ending.isOver) throw followerClosed();
    const waiter: Waiter = { targets, done: Promise.withResolvers<void>() };
    this.waiters.add(waiter);
    this.settle();
    return waiter.done.promise;
  }

  isCurrent(): boolean {
    return !this.ending.isOver && this.reader.fetchAgeMs() < CURRENT_AGE_MS_MAX;
  }

  async close(): Promise<void> {
    this.ending.end();
    await this.reader.close();
    for (const { done } of this.waiters) done.reject(followerClosed());
    this.waiters.clear();
    this.closed();
  }

  /** The ends as they are now; asks until the broker answers. */
  private async ends(): Promise<Ranges> {
    const { topics, partitions } = this.options;
    while (!this.ending.isOver) {
      try {
        const ranges = await this.client.ranges(topics);
        if (!partitions) return ranges;
        const wanted = new Set(topics.flatMap((topic) => partitions.map((p) => partitionKey({ topic, partition: p }))));
        return new Map([...ranges].filter(([key]) => wanted.has(key)));
      } catch (error) {
        this.options.onError?.(error);
        await this.ending.wait(ASK_AGAIN_MS);
      }
    }
    throw followerClosed();
  }

  private onMoved(tp: TopicPartition, position: number): void {
    this.positions.set(partitionKey(tp), position);
    this.settle();
  }

  private settle(): void {
    for (const waiter of this.waiters) {
      if ([...waiter.targets].some(([key, { end }]) => (this.positions.get(key) ?? -1) < end)) continue;
      this.waiters.delete(waiter);
      waiter.done.resolve();
    }
  }
}

const followerClosed = (): CanaryError => new CanaryError('follower-closed', 'the follower was closed');
