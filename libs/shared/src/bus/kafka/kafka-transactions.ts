import kafkajs, { type Message, type Producer, type Transaction } from 'kafkajs';
import { CanaryError } from '../../errors.js';
import type { ConsumedOffset, GroupMember, OutRecord, TransactionalProducer } from '../message-bus.js';
import { partitionOf } from '../murmur2.js';
import { checkRecord, RECORD_BYTES_MAX, recordBytes } from '../records.js';
import { type KafkaClient, partitionKey, RETRY } from './kafka-client.js';
import { isFenced } from './kafka-errors.js';
import { toMessage } from './kafka-records.js';
import { within } from './within.js';

/** A transaction collides with the end of the one before; with kafkajs's own pauses each takes 194 ms, so with 6.5. */
const TRANSACTION_RETRY = { ...RETRY, retries: 12, initialRetryTime: 5, multiplier: 1.5 } as const;
/** The broker aborts what is open for longer; readers of committed records wait behind it. */
const TRANSACTION_TIMEOUT_MS = 10_000;
const ANSWER_MS_MAX = 8000;
const ABORT_MS = 2000;
const DISCONNECT_MS = 2000;

export interface TransactionOffsets {
  readonly member: GroupMember;
  readonly offsets: readonly ConsumedOffset[];
}

export interface KafkaTransactionsParts {
  readonly client: KafkaClient;
  readonly transactionalId: string;
  /** Whether this process still holds the assignment that a member stands for. */
  readonly isCurrent: (member: GroupMember) => boolean;
  readonly closed: () => void;
}

/** One owner of a transactional id; dead after the first failure, because then nobody knows what the broker has done. */
export class KafkaTransactionalProducer implements TransactionalProducer {
  private readonly producer: Producer;
  private connecting: Promise<void> | null = null;
  private deadOf: CanaryError | null = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: KafkaTransactionsParts) {
    this.producer = parts.client.kafka().producer({
      transactionalId: parts.transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: TRANSACTION_RETRY,
    });
  }

  /** Connecting takes no epoch; only the beginning of a transaction does. */
  fence(): Promise<void> {
    return this.inTurn(async () => {
      const transaction = await this.begin();
      await transaction.abort();
    });
  }

  transaction(records: readonly OutRecord[], offsets?: TransactionOffsets): Promise<void> {
    for (const record of records) checkRecord(record, recordBytes(record));
    return this.inTurn(async () => {
      if (offsets && !this.parts.isCurrent(offsets.member)) {
        throw new CanaryError('fenced', `the group ${offsets.member.groupId} has given its partitions to others`);
      }
      const batches = await this.batchesOf(records);
      const transaction = await this.begin();
      try {
        for (const batch of batches) await transaction.send({ acks: -1, ...batch });
        if (offsets) await transaction.sendOffsets(toOffsets(offsets));
        await transaction.commit();
      } catch (error) {
        // Readers need not wait for the broker to give it up. It may be committed already; then this does nothing.
        if (transaction.isActive()) await within(ABORT_MS, transaction.abort()).catch(() => undefined);
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    this.deadOf ??= new CanaryError('producer-closed', 'the transactional producer was closed');
    await this.disconnect();
    this.parts.closed();
  }

  private async begin(): Promise<Transaction> {
    this.connecting ??= this.producer.connect();
    await this.connecting;
    return this.producer.transaction();
  }

  /**
   * Of one partition each, and sent one by one: of requests to two brokers kafkajs, when one of them fails, sends the other
   * again while it is still on its way, under the next sequence, so that its records are written twice.
   */
  private async batchesOf(records: readonly OutRecord[]): Promise<PartitionMessages[]> {
    const batches: PartitionMessages[] = [];
    const newest = new Map<string, { readonly batch: PartitionMessages; bytes: number }>();
    for (const record of records) {
      const { topic } = record;
      const { client } = this.parts;
      const partition = record.partition ?? partitionOf(record.key ?? '', await client.partitionCount(topic));
      const bytes = recordBytes(record);
      const key = partitionKey({ topic, partition });
      let to = newest.get(key);
      if (!to || to.bytes + bytes > RECORD_BYTES_MAX) {
        to = { batch: { topic, messages: [] }, bytes: 0 };
        newest.set(key, to);
        batches.push(to.batch);
      }
      to.bytes += bytes;
      to.batch.messages.push({ ...toMessage(record), partition });
    }
    return batches;
  }

  /** One after the other: kafkajs knows one transaction at a time. */
  private inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.last.then(() => this.attempt(act));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private async attempt(act: () => Promise<void>): Promise<void> {
    if (this.deadOf) throw this.deadOf;
    const acting = act().then(() => true as const);
    acting.catch(() => undefined);
    try {
      if (await within(ANSWER_MS_MAX, acting)) return;
    } catch (error) {
      throw this.die(error);
    }
    throw this.die(new CanaryError('kafka-unavailable', `Kafka did not answer within ${ANSWER_MS_MAX} ms`));
  }

  private die(cause: unknown): CanaryError {
    const { transactionalId, client } = this.parts;
    const fenced = isFenced(cause) || (cause instanceof CanaryError && cause.code === 'fenced');
    this.deadOf ??= fenced
      ? new CanaryError('fenced', `another owner took over ${transactionalId}`, { cause })
      : new CanaryError('unclear', `a transaction of ${transactionalId} may or may not be committed`, { cause });
    client.sayRefusal(cause);
    client.logger.debug({ err: cause, transactionalId }, 'a transactional producer ended');
    void this.disconnect();
    return this.deadOf;
  }

  private async disconnect(): Promise<void> {
    await within(DISCONNECT_MS, this.producer.disconnect()).catch(() => undefined);
  }
}

/** A request holds at most what the broker takes as one batch. */
interface PartitionMessages {
  readonly topic: string;
  readonly messages: Message[];
}

function toOffsets({ member, offsets }: TransactionOffsets): Parameters<Transaction['sendOffsets']>[0] {
  const topics = [...new Set(offsets.map((o) => o.topic))].map((topic) => ({
    topic,
    partitions: offsets
      .filter((o) => o.topic === topic)
      .map(({ partition, offset }) => ({ partition, offset: String(offset) })),
  }));
  return { consumerGroupId: member.groupId, topics };
}
