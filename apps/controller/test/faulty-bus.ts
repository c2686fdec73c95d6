import {
  CanaryError,
  type BusConsumer,
  type BusFollower,
  type BusProducer,
  type ConsumerOptions,
  type FollowerOptions,
  type MessageBus,
  type PartitionOffsets,
  type ProducerOptions,
  type TopicDescription,
  type TopicSpec,
  type TransactionalProducer,
} from '@app/shared';

/** Where the process dies, as far as the bus can tell. */
export type Fault = 'at the fence' | 'before the commit' | 'after the commit';

/** A bus on which one transactional step fails. The caller never learns whether it was carried out. */
export class FaultyBus implements MessageBus {
  /** Transactions that were asked for. */
  transactions = 0;
  failed = false;

  constructor(
    private readonly bus: MessageBus,
    private readonly fault: { readonly kind: Fault; readonly at: number } | null,
  ) {}

  transactionalProducer(transactionalId: string): TransactionalProducer {
    const producer = this.bus.transactionalProducer(transactionalId);
    let fences = 0;
    return {
      fence: async () => {
        fences += 1;
        if (this.due('at the fence', fences)) throw this.unclear();
        await producer.fence();
      },
      transaction: async (records, offsets) => {
        this.transactions += 1;
        if (this.due('before the commit', this.transactions)) throw this.unclear();
        await producer.transaction(records, offsets);
        if (this.due('after the commit', this.transactions)) throw this.unclear();
      },
      close: () => producer.close(),
    };
  }

  private due(kind: Fault, count: number): boolean {
    return !this.failed && this.fault?.kind === kind && this.fault.at === count;
  }

  private unclear(): CanaryError {
    this.failed = true;
    return new CanaryError('unclear', 'the broker did not answer');
  }

  createTopics = (topics: readonly TopicSpec[]): Promise<void> => this.bus.createTopics(topics);
  describeTopics = (topics: readonly string[]): Promise<readonly TopicDescription[]> => this.bus.describeTopics(topics);
  offsets = (topic: string): Promise<readonly PartitionOffsets[]> => this.bus.offsets(topic);
  producer = (options?: ProducerOptions): BusProducer => this.bus.producer(options);
  consumer = (options: ConsumerOptions): BusConsumer => this.bus.consumer(options);
  follower = (options: FollowerOptions): BusFollower => this.bus.follower(options);
  close = (): Promise<void> => this.bus.close();
}
