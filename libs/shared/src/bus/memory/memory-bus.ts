import { type Clock, systemClock } from '../../clock.js';
import { LaneProducer } from '../lane-producer.js';
import type {
  BusConsumer,
  BusFollower,
  BusProducer,
  ConsumerOptions,
  FollowerOptions,
  GroupMember,
  MessageBus,
  PartitionOffsets,
  ProducerOptions,
  TopicDescription,
  TopicSpec,
  TransactionalProducer,
} from '../message-bus.js';
import { OpenParts } from '../open-parts.js';
import { MemoryBroker, type MemoryBrokerOptions } from './memory-broker.js';
import { MemoryCarrier } from './memory-carrier.js';
import { MemoryConsumer } from './memory-consumer.js';
import { MemoryFollower } from './memory-follower.js';
import { type MemoryLink, TurnLink } from './memory-link.js';
import { MemoryTransactionalProducer } from './memory-transactions.js';

export interface MemoryBusOptions extends MemoryBrokerOptions {
  /** Log time, and the age of a lane's head. Default the system's. */
  readonly clock?: Clock;
  /** A broker that several buses share, each over a link of its own. Default: one of its own. */
  readonly broker?: MemoryBroker;
  /** Default: a broker in the same process. */
  readonly link?: MemoryLink;
  /** How long a consumer that reaches nobody goes on with what it has. Default 0. */
  readonly lossNoticedAfterMs?: number;
}

/**
 * The message bus within one process: for the standalone app and for tests. Delivery is asynchronous, never within the
 * call that caused it, and idle readers cost nothing. Missing topics and partitions throw at once, where Kafka waits.
 */
export class MemoryBus implements MessageBus {
  private readonly broker: MemoryBroker;
  private readonly link: MemoryLink;
  private readonly clock: Clock;
  private readonly open = new OpenParts();
  private readonly consumers = new Set<MemoryConsumer>();

  constructor(private readonly options: MemoryBusOptions = {}) {
    this.broker = options.broker ?? new MemoryBroker(options);
    this.link = options.link ?? new TurnLink();
    this.clock = options.clock ?? systemClock;
  }

  /**
   * For tests: true is a broker that went away. Sends stay pending and offers are refused once the head is too old,
   * consumers lose their assignment, followers stand still, transactions are unclear (and were not written). false: it is back.
   */
  setUnavailable(unavailable: boolean): void {
    if (!(this.link instanceof TurnLink)) throw new TypeError('a link that was handed in decides by itself');
    this.link.setUp(!unavailable);
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const topic of topics) this.broker.createTopic(topic);
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    return this.link.call('describe', () =>
      topics.flatMap((topic) => {
        const found = this.broker.find(topic);
        return found ? [{ topic, partitions: found.logs.length, config: found.config }] : [];
      }),
    );
  }

  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.link.call(`offsets ${topic}`, () =>
      this.broker.logs(topic).map(({ low, stableEnd }, partition) => ({ partition, low, end: stableEnd })),
    );
  }

  producer(options: ProducerOptions = {}): BusProducer {
    return this.open.add((closed) => {
      const carrier = new MemoryCarrier(this.broker, this.link, closed);
      return new LaneProducer(carrier, this.clock, options);
    });
  }

  transactionalProducer(transactionalId: string): TransactionalProducer {
    const { broker, link } = this;
    return new MemoryTransactionalProducer(
      { broker, link, isCurrent: (member) => this.holds(member) },
      transactionalId,
    );
  }

  consumer(options: ConsumerOptions): BusConsumer {
    const memberId = this.broker.nextMemberId();
    const { broker, link } = this;
    const { lossNoticedAfterMs = 0 } = this.options;
    return this.open.add((closed) => {
      const consumer: MemoryConsumer = new MemoryConsumer({
        broker,
        link,
        options,
        memberId,
        lossNoticedAfterMs,
        closed: () => {
          this.consumers.delete(consumer);
          closed();
        },
      });
      this.consumers.add(consumer);
      return consumer;
    });
  }

  follower(options: FollowerOptions): BusFollower {
    const { broker, link } = this;
    return this.open.add((closed) => new MemoryFollower({ broker, link, options, closed }));
  }

  async close(): Promise<void> {
    await this.open.close();
  }

  private holds({ memberId, generationId }: GroupMember): boolean {
    return [...this.consumers].some((consumer) => {
      const current = consumer.groupMember();
      return current?.memberId === memberId && current.generationId === generationId;
    });
  }
}
