import {
  configuredKafka,
  createRedis,
  KafkaBus,
  type Logger,
  RedisWindowReader,
  type RunningService,
  systemClock,
  type TopicNames,
} from '@app/shared';
import type { ControllerConfig } from './config.js';
import { type ControllerDeps, startController } from './start.js';

/** Starts a controller on the Kafka and the Redis of its configuration, which it closes last. Throws what startController() throws. */
export async function connectController(
  { config, topics }: { readonly config: ControllerConfig; readonly topics: TopicNames },
  logger: Logger,
  change: Partial<ControllerDeps> = {},
): Promise<RunningService> {
  await using connections = new AsyncDisposableStack();
  const bus = new KafkaBus(configuredKafka(config, logger));
  connections.defer(() => bus.close());
  const redis = config.REDIS_URL === undefined ? undefined : createRedis(config.REDIS_URL, { logger });
  if (redis) connections.defer(() => redis.disconnect());
  const windows = redis && new RedisWindowReader(redis, config.REDIS_PREFIX);
  const service = await startController({ config, topics, bus, clock: systemClock, logger, windows, ...change });
  connections.defer(() => service.close());
  const everything = connections.move();
  return { url: service.url, close: () => everything.disposeAsync() };
}
