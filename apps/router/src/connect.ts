import {
  configuredKafka,
  configuredSealer,
  configuredTopics,
  KafkaBus,
  type Logger,
  type RunningService,
  systemClock,
} from '@app/shared';
import type { RouterConfig } from './config.js';
import { type RouterDeps, startRouter } from './start.js';

/** Starts a router on the Kafka of its configuration, which it closes last. Throws what startRouter() throws. */
export async function connectRouter(
  config: RouterConfig,
  logger: Logger,
  change: Partial<RouterDeps> = {},
): Promise<RunningService> {
  const topics = configuredTopics(config);
  const sealer = configuredSealer(config);
  await using opened = new AsyncDisposableStack();
  const bus = new KafkaBus(configuredKafka(config, logger));
  opened.defer(() => bus.close());
  const router = await startRouter({ config, topics, bus, sealer, clock: systemClock, logger, ...change });
  opened.defer(() => router.close());
  const everything = opened.move();
  return { url: router.url, close: () => everything.disposeAsync() };
}
