import { once } from 'node:events';
import {
  type Env,
  KafkaBus,
  configuredKafka,
  configuredSealer,
  configuredTopics,
  createLogger,
  followSealingKeys,
  loadConfig,
  startTracing,
  systemClock,
} from '@app/shared/core';
import { RouterConfig } from '../config.js';
import { DirectoryLock } from '../routing/directory-lock.js';
import { startServing } from '../serve.js';
import { BACKLOG } from '../start.js';
import { SupervisorLink } from './supervisor-link.js';
import { workerConfig } from './worker-config.js';

/**
 * One of the processes that share a router's port. It serves what its supervisor tells it and ends when that says so; when
 * the supervisor is gone it ends by itself, for whoever starts the next one would not know of it. Ends the process.
 */
export async function runWorker(env: Env): Promise<void> {
  // Ctrl-C reaches the whole process group; the supervisor then says what to do.
  process.on('SIGINT', () => undefined);
  const logger = createLogger('router', 'info');
  const link = new SupervisorLink(logger);
  const { place, partitions, port } = await link.told;
  const config = workerConfig(loadConfig(RouterConfig, env), place);
  const log = logger.child({ worker: place.index }, { level: config.LOG_LEVEL });
  const lock = DirectoryLock.take(config.ROUTER_DATA_DIR);
  const sealer = configuredSealer(config);
  const unfollow = followSealingKeys(config, sealer, log);
  const topics = configuredTopics(config);
  const tracing = await startTracing(config, 'router');
  const kafka = new KafkaBus({
    ...configuredKafka(config, log, 'router'),
    clientId: `router-${config.INSTANCE}-${place.index}`,
  });
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  const serving = await startServing({
    config,
    topics,
    bus,
    sealer,
    clock: systemClock,
    logger: log,
    tracing,
    random: Math.random,
    weights: link,
    partitions,
    listen: { port, host: config.HTTP_HOST, backlog: BACKLOG, reusePort: true },
    metricsOf: (own) => link.metricsOf(own),
  });
  link.tell({ kind: 'serving', url: serving.url });
  const why = await Promise.race([link.closing, once(process, 'SIGTERM').then(() => 'asked' as const)]);
  if (why === 'alone') log.error('the supervisor is gone: this worker ends');
  unfollow();
  await serving.close();
  await bus.close();
  await tracing?.close();
  lock.release();
  process.exit(why === 'alone' ? 1 : 0);
}
