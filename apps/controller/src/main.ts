import {
  configuredKafka,
  configuredRedis,
  createLogger,
  KafkaBus,
  RedisWindowReader,
  type RunningService,
  runUntilSignal,
  startTracing,
  systemClock,
} from '@app/shared';
import { type ControllerConfig, readControllerConfig } from './config.js';
import { RedisPointStore } from './reading/redis-point-store.js';
import { startController } from './start.js';

// Read first for the logger alone; runUntilSignal tells what is wrong with the environment.
const logger = createLogger('controller', process.env['LOG_LEVEL'] ?? 'info');

async function start(): Promise<RunningService> {
  const { config, topics } = readControllerConfig(process.env);
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
  const service = await startController({ config, topics, bus, clock: systemClock, logger, windows, points, tracing });
  connections.defer(() => service.close());
  const everything = connections.move();
  return { url: service.url, close: () => everything.disposeAsync() };
}

const hasRedis = (config: ControllerConfig): config is ControllerConfig & { REDIS_URL: string } =>
  config.REDIS_URL !== undefined;

await runUntilSignal(start, logger);
