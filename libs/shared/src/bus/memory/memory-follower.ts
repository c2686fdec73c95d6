import { CanaryError } from '../../errors.js';
import type { BusFollower, FollowerOptions, TopicPartition } from '../message-bus.js';
import { positionInRange } from '../start-position.js';
import type { MemoryBroker } from './memory-broker.js';
import { MemoryReader } from './memory-reader.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;

interface Followed {
  readonly tp: TopicPartition;
  readonly reader: MemoryReader;
}

interface Waiter {
  /** Null until the broker could say where the ends are. */
  targets: readonly number[] | null;
  readonly done: PromiseWithResolvers<void>;
}

/** Reads partitions without a group. */
export class MemoryFollower implements BusFollower {
  private readonly followed: readonly Followed[];
  private readonly waiters = new Set<Waiter>();
  private readonly unsubscribe: () => void;
  private closed = false;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly options: FollowerOptions,
    private readonly onClosed: () => void,
  ) {
    this.followed = options.topics.flatMap((topic) =>
      broker
        .logs(topic)
        .map((_, partition) => partition)
        .filter((partition) => options.partitions?.includes(partition) ?? true)
        .map((partition) => this.follow({ topic, partition })),
    );
    this.unsubscribe = broker.onAvailability(() => setImmediate(() => this.settle()));
  }

  caughtUp(): Promise<void> {
    if (this.closed) return Promise.reject(followerClosed());
    const waiter: Waiter = { targets: this.broker.available ? this.ends() : null, done: Promise.withResolvers<void>() };
    this.waiters.add(waiter);
    setImmediate(() => this.settle());
    return waiter.done.promise;
  }

  isCurrent(): boolean {
    return this.broker.available && !this.closed;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.unsubscribe();
    await Promise.all(this.followed.map(({ reader }) => reader.stop()));
    for (const { done } of this.waiters) done.reject(followerClosed());
    this.waiters.clear();
    this.onClosed();
  }

  private follow(tp: TopicPartition): Followed {
    const range = this.broker.logs(tp.topic)[tp.partition]!;
    const reader = new MemoryReader({
      broker: this.broker,
      tp,
      start: positionInRange(tp, this.options.start?.(tp), range, undefined),
      bytesMax: BYTES_PER_PARTITION_MAX,
      handle: async (batch) => {
        await this.options.onBatch(batch);
        return undefined;
      },
      onMoved: () => this.settle(),
      onError: (error) => this.options.onError?.(error),
    });
    return { tp, reader };
  }

  private ends(): readonly number[] {
    return this.followed.map(({ tp }) => this.broker.logs(tp.topic)[tp.partition]!.end);
  }

  private settle(): void {
    if (!this.broker.available) return;
    for (const waiter of this.waiters) {
      const targets = (waiter.targets ??= this.ends());
      if (this.followed.some(({ reader }, i) => reader.position < targets[i]!)) continue;
      this.waiters.delete(waiter);
      waiter.done.resolve();
    }
  }
}

const followerClosed = (): CanaryError => new CanaryError('follower-closed', 'the follower was closed');
