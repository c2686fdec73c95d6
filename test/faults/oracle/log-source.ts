import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import type { TopicNames, TopicRole } from '@app/shared';

/** A record as it stands in a topic. */
export interface LogRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that the topics hold, committed. Records of one partition come in order. */
export interface LogSource {
  /** Name of a topic, as dead letters have it. */
  topicOf(role: TopicRole): string;
  read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void>;
}

const BYTES_PER_PARTITION_MAX = 4 * 1024 * 1024;

/** Reads with a plain consumer from the beginning to what is the end when it begins. */
export class KafkaLogSource implements LogSource {
  private readonly kafka: kafkajs.Kafka;

  constructor(
    brokers: readonly string[],
    private readonly topics: TopicNames,
  ) {
    this.kafka = new kafkajs.Kafka({ clientId: 'oracle', brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  }

  topicOf(role: TopicRole): string {
    return this.topics[role];
  }

  async read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void> {
    const topic = this.topics[role];
    const missing = await this.ends(topic);
    if (missing.size === 0) return;
    const consumer = this.kafka.consumer({
      groupId: `oracle-${randomUUID()}`,
      maxBytesPerPartition: BYTES_PER_PARTITION_MAX,
    });
    const done = Promise.withResolvers<void>();
    const reached = (partition: number, nextOffset: number): void => {
      if (nextOffset >= (missing.get(partition) ?? Infinity)) missing.delete(partition);
      if (missing.size === 0) done.resolve();
    };
    // Also for batches that hold nothing but the marks of transactions.
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      reached(payload.partition, Number(payload.lastOffset) + 1);
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
    try {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          if (!missing.has(batch.partition)) return;
          for (const message of batch.messages) onRecord(recordOf(batch.partition, message));
        },
      });
      await done.promise;
    } finally {
      await consumer.disconnect();
    }
  }

  private async ends(topic: string): Promise<Map<number, number>> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      const nonEmpty = offsets.filter(({ high, low }) => Number(high) > Number(low));
      return new Map(nonEmpty.map(({ partition, high }) => [partition, Number(high)]));
    } finally {
      await admin.disconnect();
    }
  }
}

function recordOf(partition: number, message: kafkajs.KafkaMessage): LogRecord {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
  return {
    partition,
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key?.toString('utf8') ?? null,
    value: message.value,
    headers: Object.fromEntries(headers),
  };
}

/** Records in memory: what a test has changed. */
export class MemoryLogSource implements LogSource {
  constructor(
    private readonly records: Readonly<Record<TopicRole, readonly LogRecord[]>>,
    private readonly topics: TopicNames,
  ) {}

  topicOf(role: TopicRole): string {
    return this.topics[role];
  }

  async read(role: TopicRole, onRecord: (record: LogRecord) => void): Promise<void> {
    for (const record of this.records[role]) onRecord(record);
  }
}
