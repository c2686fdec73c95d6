import { CanaryError, type Logger, type MessageBus, type TopicNames, checkTopics } from '@app/shared/core';
import type { DataDirectory } from './routing/data-directory.js';
import { within } from './within.js';

/** How long the start waits for Kafka if the data directory does not know the number: nothing could be served anyway. */
const UNKNOWN_WAIT_MS = 5000;

/**
 * The number of partitions of the outcome topic, for this process's whole life: from Kafka if it is there, else from
 * the data directory, else as configured. Throws what checkTopics() throws: topics that are missing or set up wrongly.
 */
export async function outcomePartitions(parts: {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly dataDirectory: DataDirectory;
  readonly configured: number;
  /** How long to wait for Kafka if the data directory knows the number. */
  readonly waitMs: number;
  readonly logger: Logger;
}): Promise<number> {
  const { bus, topics, dataDirectory, configured, waitMs, logger } = parts;
  const known = dataDirectory.readPartitions();
  const fromKafka = checkTopics(bus, topics, ['outcome', 'state']).then(
    ({ dataPartitions }) => dataPartitions.outcome,
    (error: unknown) => {
      if (error instanceof CanaryError && (error.code === 'missing-topic' || error.code === 'wrong-topic-setting'))
        throw error;
      logger.warn({ err: error }, 'Kafka cannot be asked for the topics');
      return null;
    },
  );
  const partitions = await within(known === null ? UNKNOWN_WAIT_MS : waitMs, fromKafka);
  if (partitions !== null) {
    dataDirectory.keepPartitions(partitions);
    return partitions;
  }
  logger.warn({ partitions: known ?? configured }, 'Kafka does not answer: starting with what is known of its topics');
  return known ?? configured;
}
