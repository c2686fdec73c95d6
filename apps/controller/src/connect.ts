import {
  configuredKafka,
  configuredRedis,
  KafkaBus,
  type Logger,
  RedisWindowReader,
  type RunningService,
  startTracing,
  systemClock,
  type TopicNames,
} from '@app/shared';
import type { ControllerConfig } from './config.js';
import { RedisPointStore } from './reading/redis-point-store.js';
import { type ControllerDeps, startController } from './start.js';

/** Starts a controller on the Kafka and the Redis of its configuration, which it closes last. Throws what startController() throws. */
export async function connectController(
  { config, topics }: { readonly config: ControllerConfig; readonly topics: TopicNames },
  logger: Logger,
  change: Partial<ControllerDeps> = {},
): Promise<RunningService> {
  await using connections = new AsyncDisposableStack();
  const tracing = await startTracing(config, 'controller');
  connections.defer(async () => tracing?.close());
  const kafka = new KafkaBus(configuredKafka(config, logger, 'controller'));
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  connections.defer(() => bus.close());
  const redis = hasRedis(config) ? configuredRedis(config, logger) : undefined;
  if (redis) connections.defer(() => redis.disconnect());
  const windows = redis && new RedisWindowReader(redis, config.REDIS_PREFIX);
  const points = redis && new RedisPointStore({ redis, clock: systemClock, prefix: config.REDIS_PREFIX });
  const parts: ControllerDeps = { config, topics, bus, clock: systemClock, logger, windows, points, tracing };
  const service = await startController({ ...parts, ...change });
  connections.defer(() => service.close());
  const everything = connections.move();
  return { url: service.url, close: () => everything.disposeAsync() };
}

const hasRedis = (config: ControllerConfig): config is ControllerConfig & { REDIS_URL: string } =>
  config.REDIS_URL !== undefined;
