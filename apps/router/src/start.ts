import 'reflect-metadata';
import type {
  Clock,
  Logger,
  MessageBus,
  PredictionIdSealer,
  RunningService,
  TopicNames,
  Tracing,
} from '@app/shared/core';
import type { RouterConfig } from './config.js';
import { DataDirectory } from './routing/data-directory.js';
import { openWeights } from './routing/open-weights.js';
import { startServing } from './serve.js';
import { adoptSpools } from './workers/spool-adoption.js';

/** Connections that wait to be let in; the kernel may allow less. */
export const BACKLOG = 4096;

export interface RouterDeps {
  readonly config: RouterConfig;
  readonly topics: TopicNames;
  /** Stays open: whoever made it closes it after the router. */
  readonly bus: MessageBus;
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null or absent: off. */
  readonly tracing?: Tracing | null;
  /** Uniform in [0, 1): assigns requests without a user. Default Math.random. */
  readonly random?: () => number;
}

/**
 * Starts a router in this process: serves with the weights on disk at once and with those in Kafka as soon as it can
 * read them. Throws CanaryError if its data directory cannot be used, a topic is missing or configuration is wrong.
 */
export async function startRouter(deps: RouterDeps): Promise<RunningService> {
  const { config, logger, random = Math.random } = deps;
  await using opened = new AsyncDisposableStack();
  const dataDirectory = new DataDirectory(config.ROUTER_DATA_DIR, logger);
  opened.defer(() => dataDirectory.close());
  adoptSpools(config.ROUTER_DATA_DIR, 1, logger);
  const { source, partitions } = await openWeights({ ...deps, dataDirectory });
  opened.defer(() => source.close());
  const listen = { port: config.HTTP_PORT, host: config.HTTP_HOST, backlog: BACKLOG };
  const serving = await startServing({ ...deps, random, weights: source, partitions, listen });
  opened.defer(() => serving.close());
  const everything = opened.move();
  return { url: serving.url, close: () => everything.disposeAsync() };
}
