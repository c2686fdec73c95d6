import { once } from 'node:events';
import {
  checkTopicsOnceThere,
  configuredKafka,
  configuredRedis,
  configuredSealer,
  configuredTopics,
  followSealingKeys,
  KafkaBus,
  type Logger,
  type RunningService,
  startTracing,
  systemClock,
} from '@app/shared';
import type { Redis } from 'ioredis';
import type { EvaluatorConfig } from './config.js';
import { evictionProblem } from './slot-store/eviction-policy.js';
import { RedisSlotStore } from './slot-store/redis-slot-store.js';
import { EVALUATOR_TOPICS, type EvaluatorDeps, startEvaluator } from './start.js';

/** How long a start waits for Redis; then it goes on and is not ready until Redis answers. */
const REDIS_WAIT_MS = 5_000;

/**
 * Starts an evaluator on the Kafka and the Redis of its configuration, which it closes last; waits while Kafka does not
 * answer. Throws CanaryError when Kafka refuses it, or its topics are missing or wrongly set.
 */
export async function connectEvaluator(
  config: EvaluatorConfig,
  logger: Logger,
  change: Partial<EvaluatorDeps> = {},
): Promise<RunningService> {
  const topics = configuredTopics(config);
  const sealer = configuredSealer(config);
  await using opened = new AsyncDisposableStack();
  opened.defer(followSealingKeys(config, sealer, logger));
  const tracing = await startTracing(config, 'evaluator');
  opened.defer(async () => tracing?.close());
  const kafka = new KafkaBus(configuredKafka(config, logger, 'evaluator'));
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  opened.defer(() => bus.close());
  const redis = configuredRedis(config, logger);
  opened.defer(() => redis.disconnect());
  const { controlPartitions: owners } = await checkTopicsOnceThere(bus, topics, EVALUATOR_TOPICS, logger);
  await warnOfEviction(redis, logger);
  const slotStore = new RedisSlotStore({ redis, prefix: config.REDIS_PREFIX, owners });
  const service = await startEvaluator({
    config,
    topics,
    bus,
    slotStore,
    sealer,
    clock: systemClock,
    logger,
    ...change,
  });
  opened.defer(() => service.close());
  const everything = opened.move();
  let closed: Promise<void> | null = null;
  return { url: service.url, close: () => (closed ??= everything.disposeAsync()) };
}

/** Slots that Redis throws away come back from Kafka, but each time accuracy holds and the topic is read again. */
async function warnOfEviction(redis: Redis, logger: Logger): Promise<void> {
  if (redis.status !== 'ready') {
    const patience = AbortSignal.timeout(REDIS_WAIT_MS);
    // Rejects when it has waited long enough; the question below then says that Redis is away.
    await once(redis, 'ready', { signal: patience }).catch(() => undefined);
  }
  const problem = await evictionProblem(redis);
  if (problem) logger.warn(problem);
}
