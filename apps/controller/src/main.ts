import {
  configuredKafka,
  configuredRedis,
  createLogger,
  KafkaBus,
  RedisWindowReader,
  type RunningService,
  runUntilSignal,
  systemClock,
} from '@app/shared';
import { type ControllerConfig, readControllerConfig } from './config.js';
import { startController } from './start.js';

// Read first for the logger alone; runUntilSignal tells what is wrong with the environment.
const logger = createLogger('controller', process.env['LOG_LEVEL'] ?? 'info');

async function start(): Promise<RunningService> {
  const { config, topics } = readControllerConfig(process.env);
  await using connections = new AsyncDisposableStack();
  const bus = new KafkaBus(configuredKafka(config, logger, 'controller'));
  connections.defer(() => bus.close());
  const redis = hasRedis(config) ? configuredRedis(config, logger) : undefined;
  if (redis) connections.defer(() => redis.disconnect());
  const windows = redis && new RedisWindowReader(redis, config.REDIS_PREFIX);
  const service = await startController({ config, topics, bus, clock: systemClock, logger, windows });
  connections.defer(() => service.close());
  const everything = connections.move();
  return { url: service.url, close: () => everything.disposeAsync() };
}

const hasRedis = (config: ControllerConfig): config is ControllerConfig & { REDIS_URL: string } =>
  config.REDIS_URL !== undefined;

await runUntilSignal(start, logger);
