import type { BatchResult, BusBatch, ConsumerOptions, TopicPartition, UnreadableRecords } from '../message-bus.js';
import type { AssignerOptions } from './partition-assigner.js';

/** What a reader wants, whether it is a member of a lasting group or alone in one of its own. */
export interface ReaderOptions {
  readonly topics: readonly string[];
  readonly groupId: string;
  readonly assigner: AssignerOptions;
  readonly readCommitted: boolean;
  readonly maxBytesPerPartition: number;
  readonly maxWaitMs: number;
  readonly start: ConsumerOptions['start'];
  /** Commit after each handled batch. */
  readonly commits: boolean;
  readonly onOutOfRange?: ConsumerOptions['onOutOfRange'];
  readonly onBatch: (batch: BusBatch) => Promise<BatchResult>;
  readonly onAssigned: (partitions: readonly TopicPartition[], memberId: string) => void;
  readonly onLost: () => void;
  readonly onMoved: (tp: TopicPartition, position: number) => void;
  /** Told once a life. */
  readonly onUnreadable: (tp: TopicPartition, records: UnreadableRecords) => void;
  /** Some of the topics do not exist; the others are read. */
  readonly onMissing: (topics: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}
