import { CanaryError } from '../../errors.js';
import type { BusFollower, FollowerOptions, TopicPartition } from '../message-bus.js';
import { positionInRange } from '../start-position.js';
import type { MemoryBroker } from './memory-broker.js';
import { Ended, type MemoryLink, untilAnswered } from './memory-link.js';
import { MemoryReader } from './memory-reader.js';

const BYTES_PER_PARTITION_MAX = 1024 * 1024;

export interface MemoryFollowerDeps {
  readonly broker: MemoryBroker;
  readonly link: MemoryLink;
  readonly options: FollowerOptions;
  readonly closed: () => void;
}

interface Followed {
  readonly tp: TopicPartition;
  readonly reader: MemoryReader;
}

interface Waiter {
  readonly targets: readonly number[];
  readonly done: PromiseWithResolvers<void>;
}

/** Reads partitions without a group. */
export class MemoryFollower implements BusFollower {
  private readonly followed: readonly Followed[];
  private readonly waiters = new Set<Waiter>();
  private readonly ended = new Ended();

  constructor(private readonly deps: MemoryFollowerDeps) {
    const { broker, options } = deps;
    this.followed = options.topics.flatMap((topic) =>
      broker
        .logs(topic)
        .map((_, partition) => partition)
        .filter((partition) => options.partitions?.includes(partition) ?? true)
        .map((partition) => this.follow({ topic, partition })),
    );
  }

  async caughtUp(): Promise<void> {
    const { link } = this.deps;
    const targets = await untilAnswered(link, () => link.call('ends', () => this.ends()), this.ended);
    if (!targets || this.ended.now) throw followerClosed();
    const waiter: Waiter = { targets, done: Promise.withResolvers<void>() };
    this.waiters.add(waiter);
    this.settle();
    return waiter.done.promise;
  }

  isCurrent(): boolean {
    return this.deps.link.up && !this.ended.now;
  }

  async close(): Promise<void> {
    this.ended.set();
    await Promise.all(this.followed.map(({ reader }) => reader.stop()));
    for (const { done } of this.waiters) done.reject(followerClosed());
    this.waiters.clear();
    this.deps.closed();
  }

  private follow(tp: TopicPartition): Followed {
    const { broker, link, options } = this.deps;
    const reader = new MemoryReader({
      broker,
      link,
      tp,
      start: positionInRange(tp, options.start?.(tp), broker.logs(tp.topic)[tp.partition]!, undefined),
      bytesMax: BYTES_PER_PARTITION_MAX,
      committed: options.readCommitted ?? false,
      handle: async (batch) => {
        await options.onBatch(batch);
        return undefined;
      },
      onMoved: () => this.settle(),
      onError: (error) => options.onError?.(error),
    });
    return { tp, reader };
  }

  private ends(): readonly number[] {
    return this.followed.map(({ tp }) => {
      const { end, stableEnd } = this.deps.broker.logs(tp.topic)[tp.partition]!;
      return this.deps.options.readCommitted ? stableEnd : end;
    });
  }

  private settle(): void {
    for (const waiter of this.waiters) {
      if (this.followed.some(({ reader }, i) => reader.position < waiter.targets[i]!)) continue;
      this.waiters.delete(waiter);
      waiter.done.resolve();
    }
  }
}

const followerClosed = (): CanaryError => new CanaryError('follower-closed', 'the follower was closed');
