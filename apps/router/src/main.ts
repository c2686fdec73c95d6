import {
  KafkaBus,
  configuredSealer,
  configuredTopics,
  createLogger,
  loadConfig,
  runUntilSignal,
  systemClock,
} from '@app/shared/core';
import { RouterConfig } from './config.js';
import { startRouter } from './start.js';

const logger = createLogger('router', 'info');
await runUntilSignal(async () => {
  const config = loadConfig(RouterConfig, process.env);
  logger.level = config.LOG_LEVEL;
  const sealer = configuredSealer(config);
  const bus = new KafkaBus({ brokers: config.KAFKA_BROKERS.split(','), clientId: `router-${config.INSTANCE}`, logger });
  const topics = configuredTopics(config);
  const router = await startRouter({ config, topics, bus, sealer, clock: systemClock, logger });
  return {
    url: router.url,
    async close() {
      await router.close();
      await bus.close();
    },
  };
}, logger);
