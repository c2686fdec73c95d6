import {
  KafkaBus,
  type RunningService,
  configuredKafka,
  configuredSealer,
  configuredTopics,
  createLogger,
  followSealingKeys,
  loadConfig,
  runUntilSignal,
  startTracing,
  systemClock,
} from '@app/shared/core';
import { RouterConfig } from './config.js';
import { startRouter } from './start.js';
import { WORKER_ARGUMENT } from './workers/supervised-worker.js';
import { startWorkers } from './workers/supervisor.js';
import { runWorker } from './workers/worker.js';

async function start(): Promise<RunningService> {
  const config = loadConfig(RouterConfig, process.env);
  logger.level = config.LOG_LEVEL;
  const sealer = configuredSealer(config);
  const unfollow = followSealingKeys(config, sealer, logger);
  const topics = configuredTopics(config);
  const tracing = await startTracing(config, 'router');
  const kafka = new KafkaBus(configuredKafka(config, logger, 'router'));
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  const deps = { config, topics, bus, sealer, clock: systemClock, logger, tracing };
  const router = await (config.ROUTER_WORKERS > 1 ? startWorkers(deps) : startRouter(deps));
  return {
    url: router.url,
    async close() {
      unfollow();
      await router.close();
      await bus.close();
      await tracing?.close();
    },
  };
}

const logger = createLogger('router', 'info');
if (process.argv[2] === WORKER_ARGUMENT && process.send) await runWorker(process.env);
else await runUntilSignal(start, logger);
