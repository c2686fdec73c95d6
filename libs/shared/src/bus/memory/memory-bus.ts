import { type Clock, systemClock } from '../../clock.js';
import { LaneProducer } from '../lane-producer.js';
import type {
  BusConsumer,
  BusFollower,
  BusProducer,
  ConsumerOptions,
  FollowerOptions,
  MessageBus,
  PartitionOffsets,
  ProducerOptions,
  TopicDescription,
  TopicSpec,
  TransactionalProducer,
} from '../message-bus.js';
import { OpenParts } from '../open-parts.js';
import { MemoryBroker } from './memory-broker.js';
import { MemoryCarrier } from './memory-carrier.js';
import { MemoryConsumer } from './memory-consumer.js';
import { MemoryFollower } from './memory-follower.js';
import { MemoryTransactionalProducer } from './memory-transactions.js';

export interface MemoryBusOptions {
  /** Log time and the age of a lane's head. Default the system's. */
  readonly clock?: Clock;
  /** Records kept of each partition; a compacted one is compacted beyond it. Default 20,000 (some 10 MB). */
  readonly retentionRecordsMax?: number;
  /** A member whose handler takes longer than this in a rebalance is left out of it. Default 6000. */
  readonly rebalanceTimeoutMs?: number;
}

const RETENTION_RECORDS_MAX = 20_000;
const REBALANCE_TIMEOUT_MS = 6000;

/**
 * The message bus within one process: for the standalone app and for tests. Delivery is asynchronous, never within the
 * call that caused it, and idle readers cost nothing. Missing topics and partitions throw at once, where Kafka waits.
 */
export class MemoryBus implements MessageBus {
  private readonly broker: MemoryBroker;
  private readonly open = new OpenParts();
  private members = 0;

  constructor(options: MemoryBusOptions = {}) {
    this.broker = new MemoryBroker({
      clock: options.clock ?? systemClock,
      retentionRecordsMax: options.retentionRecordsMax ?? RETENTION_RECORDS_MAX,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? REBALANCE_TIMEOUT_MS,
    });
  }

  /**
   * For tests: true is a broker that went away. Sends stay pending and offers are refused once the head is too old,
   * consumers lose their assignment, followers stand still, transactions are unclear (and were not written). false: it is back.
   */
  setUnavailable(unavailable: boolean): void {
    this.broker.setAvailable(!unavailable);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const topic of topics) this.broker.createTopic(topic);
  }

  async describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    return topics.flatMap((topic) => {
      const found = this.broker.find(topic);
      return found ? [{ topic, partitions: found.logs.length, config: found.config }] : [];
    });
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.broker.logs(topic).map(({ low, end }, partition) => ({ partition, low, end }));
  }

  producer(options: ProducerOptions = {}): BusProducer {
    const { clock } = this.broker.options;
    return this.open.add((closed) => new LaneProducer(new MemoryCarrier(this.broker, closed), clock, options));
  }

  transactionalProducer(transactionalId: string): TransactionalProducer {
    return new MemoryTransactionalProducer(this.broker, transactionalId);
  }

  consumer(options: ConsumerOptions): BusConsumer {
    this.members += 1;
    const memberId = `member-${String(this.members).padStart(6, '0')}`;
    return this.open.add((closed) => new MemoryConsumer({ broker: this.broker, options, memberId, closed }));
  }

  follower(options: FollowerOptions): BusFollower {
    return this.open.add((closed) => new MemoryFollower(this.broker, options, closed));
  }

  async close(): Promise<void> {
    await this.open.close();
  }
}
