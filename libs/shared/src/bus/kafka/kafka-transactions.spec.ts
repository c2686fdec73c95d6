import { createRequire } from 'node:module';
import type { Producer, ProducerConfig } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../logger.js';
import type { KafkaClient } from './kafka-client.js';
import { KafkaTransactionalProducer } from './kafka-transactions.js';
import { kafkajsInternals } from './kafkajs-internals.js';

const load = createRequire(import.meta.url);
const createProducer = load('kafkajs/src/producer') as (
  parts: ProducerConfig & { readonly cluster: object; readonly logger: object },
) => Producer;

const CONCURRENT_TRANSACTIONS = 51;
const LEADERS: Readonly<Record<string, number>> = { decision: 1, state: 2 };
const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} };

interface TopicData {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly messages: readonly { value: string }[] }[];
}

/**
 * Two brokers: the first leads decisions, the second states and the transactions. It refuses states at first, as long as the
 * transaction before is not quite over; the first one, asked meanwhile, answers when states are asked for again.
 */
class TwoBrokers {
  readonly written: string[] = [];
  private readonly asked: string[] = [];
  private readonly askedAgain = Promise.withResolvers<void>();
  private readonly retry = { retries: 5, initialRetryTime: 1 };

  /** kafkajs's own producer on them. */
  producer(config: ProducerConfig): Producer {
    return createProducer({ ...config, retry: this.retry, cluster: this.cluster(), logger });
  }

  client(): KafkaClient {
    return {
      kafka: () => ({ producer: (config: ProducerConfig) => this.producer(config) }),
      partitionCount: () => Promise.resolve(1),
      sayRefusal: () => undefined,
      logger: silentLogger,
    } as unknown as KafkaClient;
  }

  private cluster(): object {
    const brokers = [1, 2].map((nodeId) => this.broker(nodeId));
    const done = (): Promise<void> => Promise.resolve();
    return {
      retry: this.retry,
      targetTopics: new Set(),
      isConnected: () => true,
      connect: done,
      disconnect: done,
      refreshMetadata: done,
      refreshMetadataIfNecessary: done,
      addMultipleTargetTopics: done,
      removeBroker: () => undefined,
      findTopicPartitionMetadata: () => [{ partitionId: 0 }],
      findLeaderForPartitions: (topic: string) => ({ [LEADERS[topic]!]: [0] }),
      findBroker: ({ nodeId }: { nodeId: string }) => Promise.resolve(brokers[Number(nodeId) - 1]),
      findGroupCoordinator: () => Promise.resolve(brokers[1]),
      findControllerBroker: () => Promise.resolve(brokers[1]),
    };
  }

  private broker(nodeId: number): object {
    return {
      nodeId,
      initProducerId: () => Promise.resolve({ producerId: '1', producerEpoch: 0 }),
      endTxn: () => Promise.resolve(),
      addPartitionsToTxn: async ({ topics }: { topics: readonly { topic: string }[] }) => {
        for (const { topic } of topics) {
          const isAgain = this.asked.includes(topic);
          this.asked.push(topic);
          if (topic !== 'state') continue;
          if (!isAgain) throw kafkajsInternals().errorOfCode(CONCURRENT_TRANSACTIONS);
          this.askedAgain.resolve();
        }
      },
      produce: async ({ topicData }: { topicData: readonly TopicData[] }) => {
        if (nodeId === 1 && this.asked.includes('state')) await this.askedAgain.promise;
        for (const { partitions } of topicData)
          for (const { messages } of partitions) this.written.push(...messages.map(({ value }) => value));
        return { topics: topicData.map(({ topic }) => ({ topicName: topic, partitions: [] })) };
      },
    };
  }
}

const records = Object.keys(LEADERS).map((topic) => ({ topic, key: 'digits', value: `a ${topic}` }));

describe('a transaction over two brokers, one of which refuses at first', () => {
  it('has each record once', async () => {
    const brokers = new TwoBrokers();
    const producer = new KafkaTransactionalProducer({
      client: brokers.client(),
      transactionalId: 'controller-0',
      isCurrent: () => true,
      closed: () => undefined,
    });
    await producer.transaction(records);
    await producer.close();
    expect(brokers.written.toSorted()).toEqual(['a decision', 'a state']);
  });

  it('has one of them twice with kafkajs as it is', async () => {
    const brokers = new TwoBrokers();
    const producer = brokers.producer({ idempotent: true, transactionalId: 'controller-0' });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.sendBatch({
      topicMessages: records.map(({ topic, key, value }) => ({ topic, messages: [{ key, value }] })),
    });
    await transaction.commit();
    await producer.disconnect();
    expect(brokers.written.toSorted()).toEqual(['a decision', 'a decision', 'a state']);
  });
});
