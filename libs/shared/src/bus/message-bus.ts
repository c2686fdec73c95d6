import { CanaryError } from '../errors.js';

/**
 * The message bus as this project needs it. Two adapters pass one suite: Kafka (kafkajs) and memory.
 * Offsets are plain numbers (Kafka's fit: 2^53 records). Values are Buffers; the bus knows no contracts.
 */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface OutRecord {
  readonly topic: string;
  /** Fixed partition; without it the key decides, by Java's murmur2; one of the two is needed. */
  readonly partition?: number;
  readonly key: Buffer | string | null;
  /** null is a tombstone; text is written as UTF-8. */
  readonly value: Buffer | string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Read one field by one: a bus may make key and value when they are asked for, and then a spread does not copy them. */
export interface BusRecord {
  readonly offset: number;
  /** Log time: LogAppendTime where the topic has it, ms since the epoch. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Only present when the record has headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Records of one partition in order. Offsets may have gaps (compaction, transaction markers). */
export interface BusBatch extends TopicPartition {
  readonly records: readonly BusRecord[];
  /** Offset the batch was asked for: the position before it. */
  readonly fetchedOffset: number;
  /** The position after it: last offset + 1, markers included. Records may be empty while this moves. */
  readonly nextOffset: number;
  /** End of the partition (last stable offset for read-committed) as known at the fetch. */
  readonly endOffset: number;
}

/** Records that cannot be read (an unknown codec, a wrong checksum): they are passed over, and lost to this reader. */
export interface UnreadableRecords {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly cause: string;
}

/** What a handler did with a batch. A handler that throws gets the same batch again after a pause (redelivery). */
export type BatchResult =
  | { readonly kind: 'done' }
  /** Go on from another offset of this partition; the rest of the batch is not wanted. */
  | { readonly kind: 'seek'; readonly offset: number };

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly readCommitted?: boolean;
  /**
   * `balanced`: partitions of all topics spread over the members. `co-partitioned`: partition i of every topic goes to
   * the same member (the topics have the same number of partitions).
   */
  readonly assignment: 'balanced' | 'co-partitioned';
  /**
   * Where a partition begins once it is assigned, asked before onAssigned. `committed`: the group's committed offset, else 0.
   * A function is asked synchronously at the moment of assignment (preload what it needs); undefined: the beginning.
   * An offset outside [low, end] is brought to the nearer end of that range and `onOutOfRange` is told.
   */
  readonly start: 'committed' | ((tp: TopicPartition) => number | undefined);
  readonly onOutOfRange?: (tp: TopicPartition, wanted: number, low: number, end: number) => void;
  /** Called with the complete new assignment after each rebalance, before any batch of it. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void;
  /** Called when an assignment is lost, before the next onAssigned; work in flight may be stale from here on. */
  readonly onRevoked?: () => void;
  /**
   * Batches of one partition come one after the other; partitions may be handled concurrently. Nothing is committed to
   * the group by itself except with start 'committed', where the offset is committed after the handler has returned.
   */
  readonly onBatch: (batch: BusBatch) => Promise<BatchResult>;
  /** With start 'committed': false leaves commits to a transaction's offsets. Default true. */
  readonly autoCommit?: boolean;
  readonly onError?: (error: unknown) => void;
  /** Told of records that cannot be read, before the batch that passes over them. They are logged as an error in any case. */
  readonly onUnreadable?: (tp: TopicPartition, records: UnreadableRecords) => void;
  /** Upper bound of bytes per partition and fetch. Default 1 MiB. */
  readonly maxBytesPerPartition?: number;
  /** Longest wait of a fetch for new data. Default 250 ms. */
  readonly maxWaitMs?: number;
}

export interface BusConsumer {
  /** Present assignment, or null while there is none (starting, rebalancing, broker away). */
  assignment(): readonly TopicPartition[] | null;
  /** Opaque identity of this member and generation for transactions' offsets; null without an assignment. */
  groupMember(): GroupMember | null;
  /** Stops fetching, waits for the handlers in flight, leaves the group. */
  close(): Promise<void>;
}

export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

/** Reads all partitions of topics without a group, from the beginning or from given offsets, and follows them. */
export interface FollowerOptions {
  readonly topics: readonly string[];
  readonly readCommitted?: boolean;
  /** First offset by partition; undefined: the beginning. */
  readonly start?: (tp: TopicPartition) => number | undefined;
  /** Only these partitions (of every topic); default all. */
  readonly partitions?: readonly number[];
  readonly onBatch: (batch: BusBatch) => Promise<void> | void;
  readonly onError?: (error: unknown) => void;
  readonly maxWaitMs?: number;
}

export interface BusFollower {
  /**
   * Resolves when everything that was in the topics at the time of this call has been handled. With readCommitted that
   * is everything up to the first open transaction; one's own becomes visible some milliseconds after transaction().
   * Rejects only when the follower is closed. Waits as long as the broker is away.
   */
  caughtUp(): Promise<void>;
  /** True while the last fetch is recent and successful (within some seconds). */
  isCurrent(): boolean;
  close(): Promise<void>;
}

export interface ProducerOptions {
  /** Bytes of admitted, not yet acknowledged records. Default 8 MiB. */
  readonly admissionBytesMax?: number;
  /** While the oldest admitted batch is older than this, further ones are refused. Default 1500 ms. */
  readonly headAgeMsMax?: number;
}

/** The broker took the others that were offered with these, and will never take these (too large for the topic, say). */
export class RecordsRefused extends CanaryError {
  constructor(readonly records: readonly OutRecord[]) {
    const topics = [...new Set(records.map(({ topic }) => topic))].join(', ');
    super('records-refused', `the broker refuses ${records.length} record(s) for ${topics} and will never take them`);
  }
}

/**
 * One lane to the broker for each topic: one batch in flight, the identical batch again until it is acknowledged, in
 * order. An admitted batch is never given up while the producer lives, unless the broker says that it is no use.
 */
export interface BusProducer {
  /**
   * Admits records for sending, or refuses them (null): refused records are surely not written.
   * The promise resolves at the acknowledgement; it rejects with RecordsRefused once all others are acknowledged, and
   * with code `producer-closed` if close() gave up.
   */
  offer(records: readonly OutRecord[]): Promise<void> | null;
  /** offer(), waiting for admission as long as it takes. */
  send(records: readonly OutRecord[]): Promise<void>;
  /** Bytes admitted and not acknowledged. */
  pendingBytes(): number;
  /** Waits at most `flushMs` (default 5000) for what is admitted. Returns the records that are unclear: perhaps written, perhaps not. */
  close(options?: { flushMs?: number }): Promise<readonly OutRecord[]>;
}

export interface ConsumedOffset extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
}

/**
 * A transactional producer. `fence` begins and aborts an empty transaction: from then on every former owner of the
 * transactional id gets CanaryError `fenced` at its next transaction.
 */
export interface TransactionalProducer {
  fence(): Promise<void>;
  /**
   * Writes records, and the group's offsets if given, atomically. Rejects with CanaryError code
   * `fenced` (another owner took over: own nothing, begin again) or
   * `unclear` (it may or may not have been committed: likewise). After either this producer is dead.
   */
  transaction(
    records: readonly OutRecord[],
    offsets?: { readonly member: GroupMember; readonly offsets: readonly ConsumedOffset[] },
  ): Promise<void>;
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor?: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly topic: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly low: number;
  /** Last stable offset. */
  readonly end: number;
}

export interface MessageBus {
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Those of the named topics that exist, with `cleanup.policy`, `message.timestamp.type`, `retention.ms`. */
  describeTopics(topics: readonly string[]): Promise<readonly TopicDescription[]>;
  offsets(topic: string): Promise<readonly PartitionOffsets[]>;
  producer(options?: ProducerOptions): BusProducer;
  transactionalProducer(transactionalId: string): TransactionalProducer;
  /** Starts at once and heals by itself until closed. */
  consumer(options: ConsumerOptions): BusConsumer;
  follower(options: FollowerOptions): BusFollower;
  close(): Promise<void>;
}
