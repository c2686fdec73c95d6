/**
 * Reads one topic with a plain kafkajs, from the beginning to what is the end when it begins, and hands the records over. In a
 * thread of its own, because the services' bus repairs the kafkajs of its thread: records would be read by their code.
 */
import { randomUUID } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import kafkajs from 'kafkajs';
import type { LogRecord } from './log-source.js';

export interface PlainReading {
  readonly brokers: readonly string[];
  readonly topic: string;
}

const BYTES_PER_PARTITION_MAX = 4 * 1024 * 1024;

async function read({ brokers, topic }: PlainReading, onRecords: (records: readonly LogRecord[]) => void) {
  const kafka = new kafkajs.Kafka({
    clientId: 'oracle',
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const missing = await endsOf(kafka, topic);
  if (missing.size === 0) return;
  const consumer = kafka.consumer({
    groupId: `oracle-${randomUUID()}`,
    maxBytesPerPartition: BYTES_PER_PARTITION_MAX,
  });
  const done = Promise.withResolvers<void>();
  // Also for batches that hold nothing but the marks of transactions.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { partition, lastOffset } }) => {
    if (Number(lastOffset) + 1 >= (missing.get(partition) ?? Infinity)) missing.delete(partition);
    if (missing.size === 0) done.resolve();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        if (missing.has(partition)) onRecords(messages.map((message) => recordOf(partition, message)));
      },
    });
    await done.promise;
  } finally {
    await consumer.disconnect();
  }
}

async function endsOf(kafka: kafkajs.Kafka, topic: string): Promise<Map<number, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const nonEmpty = offsets.filter(({ high, low }) => Number(high) > Number(low));
    return new Map(nonEmpty.map(({ partition, high }) => [partition, Number(high)]));
  } finally {
    await admin.disconnect();
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

await read(workerData as PlainReading, (records) => parentPort!.postMessage(records));
