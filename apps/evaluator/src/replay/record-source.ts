import type { BusRecord, PartitionOffsets, TopicNames, TopicRole } from '@app/shared';

/** Records of one partition in order. */
export interface SourceBatch {
  readonly partition: number;
  /** Position before them; greater than the last batch's nextOffset where records have gone meanwhile. */
  readonly fetchedOffset: number;
  readonly records: readonly BusRecord[];
  /** Position after them. */
  readonly nextOffset: number;
}

/** What to read of a topic. */
export interface Reading {
  readonly partitions?: readonly number[];
  /** By partition: enough is read once this position is reached. Default: everything that is there now. */
  readonly upTo?: readonly number[];
}

/** Where a replay takes its records from: the topics themselves, or a file that was exported from them. */
export interface RecordSource {
  readonly topics: TopicNames;
  readonly controlPartitions: number;
  offsets(role: TopicRole): Promise<readonly PartitionOffsets[]>;
  /** Reads from the first record that is there. Rejects with what onBatch throws. */
  read(role: TopicRole, reading: Reading, onBatch: (batch: SourceBatch) => void): Promise<void>;
}
