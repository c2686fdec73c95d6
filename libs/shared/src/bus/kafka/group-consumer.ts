import type { Consumer } from 'kafkajs';
import type { TopicPartition } from '../message-bus.js';
import { type KafkaClient, RETRY } from './kafka-client.js';
import { partitionAssigner } from './partition-assigner.js';
import type { ReaderOptions } from './reader-options.js';

export const SESSION_TIMEOUT_MS = 6000;
export const HEARTBEAT_MS = 1000;
const REBALANCE_TIMEOUT_MS = 6000;
const BYTES_MAX = 8 * 1024 * 1024;

/** A consumer of kafkajs as it must be set, with a client of its own: clients share committed offsets. */
export function groupConsumer(client: KafkaClient, options: ReaderOptions): Consumer {
  return client.kafka().consumer({
    groupId: options.groupId,
    partitionAssigners: [partitionAssigner(options.assigner)],
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    heartbeatInterval: HEARTBEAT_MS,
    maxBytesPerPartition: options.maxBytesPerPartition,
    maxBytes: BYTES_MAX,
    minBytes: 1,
    maxWaitTimeInMs: options.maxWaitMs,
    readUncommitted: !options.readCommitted,
    allowAutoTopicCreation: false,
    retry: { ...RETRY, retries: 3, restartOnFailure: async () => false },
  });
}

/** As kafkajs wants partitions named. */
export function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics].map(([topic, numbers]) => ({ topic, partitions: numbers }));
}
