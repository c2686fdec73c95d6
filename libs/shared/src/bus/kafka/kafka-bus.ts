import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { systemClock } from '../../clock.js';
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
import { BatchSender } from './batch-sender.js';
import { KafkaCarrier } from './kafka-carrier.js';
import { KafkaClient, type KafkaSettings } from './kafka-client.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { errorTypes } from './kafka-errors.js';
import { KafkaFollower } from './kafka-follower.js';
import { KafkaTransactionalProducer } from './kafka-transactions.js';
import { Outage } from './outage.js';

const CREATED_LOOK_MS = 50;
const DESCRIBED = ['cleanup.policy', 'message.timestamp.type', 'retention.ms'];

/** The message bus on Apache Kafka, by kafkajs. Everything it hands out heals by itself until it is closed. */
export class KafkaBus implements MessageBus {
  private readonly client: KafkaClient;
  private readonly sender: BatchSender;
  private readonly outage: Outage<KafkaCarrier>;
  private readonly open = new OpenParts();
  private readonly consumers = new Set<KafkaConsumer>();

  constructor(settings: KafkaSettings) {
    this.client = new KafkaClient(settings);
    this.sender = new BatchSender(this.client);
    this.outage = new Outage(settings.logger, {
      gone: 'records cannot be sent to Kafka; trying again',
      back: 'records are sent to Kafka again',
    });
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    await this.client.asCreator(async (admin) => {
      const present = new Set(await admin.listTopics());
      const missing = topics.filter(({ topic }) => !present.has(topic));
      if (missing.length === 0) return;
      await admin.createTopics({
        // It would take a topic that not every broker has heard of yet for one that does not exist.
        waitForLeaders: false,
        topics: missing.map(({ topic, partitions, replicationFactor, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replicationFactor ?? 1,
          configEntries: Object.entries(config ?? {}).map(([name, value]) => ({ name, value })),
        })),
      });
      for (const { topic } of missing) await whenLed(admin, topic);
    });
  }

  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    return this.client.asAdmin(async (admin) => {
      const present = new Set(await admin.listTopics());
      const found = topics.filter((topic) => present.has(topic));
      if (found.length === 0) return [];
      const metadata = await admin.fetchTopicMetadata({ topics: found });
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: found.map((name) => ({
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name,
          configNames: DESCRIBED,
        })),
      });
      return found.map((topic) => ({
        topic,
        partitions: metadata.topics.find((t) => t.name === topic)?.partitions.length ?? 0,
        config: Object.fromEntries(
          (resources.find((r) => r.resourceName === topic)?.configEntries ?? []).map((entry) => [
            entry.configName,
            entry.configValue,
          ]),
        ),
      }));
    });
  }

  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.client.offsets(topic);
  }

  producer(options: ProducerOptions = {}): BusProducer {
    const { client, sender, outage } = this;
    return this.open.add(
      (closed) => new LaneProducer(new KafkaCarrier({ client, sender, outage, closed }), systemClock, options),
    );
  }

  transactionalProducer(transactionalId: string): TransactionalProducer {
    const isCurrent = (member: GroupMember): boolean => [...this.consumers].some((c) => c.isCurrent(member));
    return this.open.add(
      (closed) => new KafkaTransactionalProducer({ client: this.client, transactionalId, isCurrent, closed }),
    );
  }

  consumer(options: ConsumerOptions): BusConsumer {
    return this.open.add((closed) => {
      const consumer = new KafkaConsumer(this.client, options, () => {
        this.consumers.delete(consumer);
        closed();
      });
      this.consumers.add(consumer);
      return consumer;
    });
  }

  follower(options: FollowerOptions): BusFollower {
    return this.open.add((closed) => new KafkaFollower(this.client, options, closed));
  }

  async close(): Promise<void> {
    await this.open.close();
    await this.sender.close();
  }
}

async function whenLed(admin: Admin, topic: string): Promise<void> {
  for (;;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      if (topics.some(({ partitions }) => partitions.length > 0)) return;
    } catch (error) {
      if (errorTypes(error).length === 0) throw error;
    }
    await delay(CREATED_LOOK_MS);
  }
}
