import type { Logger, MessageBus, TopicNames } from '@app/shared/core';
import type { RouterConfig } from '../config.js';
import { outcomePartitions } from '../outcome-partitions.js';
import { within } from '../within.js';
import type { DataDirectory } from './data-directory.js';
import { StateFollower } from './state-follower.js';
import { Weights } from './weights.js';

/** A router that has weights on disk serves them, Kafka or not, this long after its process began ... */
const READY_MS = 1200;
/** ... or after it began to wait for Kafka, if that was late. */
const WAIT_MS_MIN = 300;
const WAIT_MS_MAX = 700;

export interface OpenedWeights {
  readonly source: StateFollower;
  /** Of the outcome topic. */
  readonly partitions: number;
}

/**
 * Reads the weights on disk and those in Kafka, and how many partitions outcomes have, all at once: waits for Kafka for
 * some time, and goes on without it then. Throws what outcomePartitions() throws.
 */
export async function openWeights(parts: {
  readonly config: RouterConfig;
  readonly topics: TopicNames;
  readonly bus: MessageBus;
  readonly logger: Logger;
  readonly dataDirectory: DataDirectory;
}): Promise<OpenedWeights> {
  const { config, topics, bus, logger, dataDirectory } = parts;
  const weights = new Weights(dataDirectory, logger);
  const source = new StateFollower({ bus, topic: topics.state, weights, logger });
  const waitMs = Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, READY_MS - performance.now()));
  try {
    const [partitions] = await Promise.all([
      outcomePartitions({ ...parts, configured: config.ROUTER_OUTCOME_PARTITIONS, waitMs }),
      within(waitMs, source.whenCaughtUp),
    ]);
    return { source, partitions };
  } catch (error) {
    await source.close();
    throw error;
  }
}
