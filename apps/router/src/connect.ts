import {
  configuredKafka,
  configuredSealer,
  configuredTopics,
  followSealingKeys,
  KafkaBus,
  type Logger,
  type RunningService,
  startTracing,
  systemClock,
} from '@app/shared/core';
import type { RouterConfig } from './config.js';
import { type RouterDeps, startRouter } from './start.js';
import { startWorkers } from './workers/supervisor.js';

/**
 * Starts a router on the Kafka of its configuration, which it closes last; with several workers these are processes of
 * their own, to which `change` does not reach. Throws what startRouter() throws.
 */
export async function connectRouter(
  config: RouterConfig,
  logger: Logger,
  change: Partial<RouterDeps> = {},
): Promise<RunningService> {
  const topics = configuredTopics(config);
  const sealer = configuredSealer(config);
  await using opened = new AsyncDisposableStack();
  opened.defer(followSealingKeys(config, sealer, logger));
  const tracing = await startTracing(config, 'router');
  opened.defer(async () => tracing?.close());
  const kafka = new KafkaBus(configuredKafka(config, logger, 'router'));
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  opened.defer(() => bus.close());
  const parts: RouterDeps = { config, topics, bus, sealer, clock: systemClock, logger, tracing, ...change };
  const router = await (config.ROUTER_WORKERS > 1 ? startWorkers(parts) : startRouter(parts));
  opened.defer(() => router.close());
  const everything = opened.move();
  return { url: router.url, close: () => everything.disposeAsync() };
}
