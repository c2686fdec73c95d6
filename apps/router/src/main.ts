import {
  KafkaBus,
  configuredKafka,
  configuredSealer,
  configuredTopics,
  createLogger,
  followSealingKeys,
  loadConfig,
  runUntilSignal,
  systemClock,
} from '@app/shared';
import { RouterConfig } from './config.js';
import { startRouter } from './start.js';

const logger = createLogger('router', 'info');
await runUntilSignal(async () => {
  const config = loadConfig(RouterConfig, process.env);
  logger.level = config.LOG_LEVEL;
  const sealer = configuredSealer(config);
  const unfollow = followSealingKeys(config, sealer, logger);
  const bus = new KafkaBus(configuredKafka(config, logger, 'router'));
  const topics = configuredTopics(config);
  const router = await startRouter({ config, topics, bus, sealer, clock: systemClock, logger });
  return {
    url: router.url,
    async close() {
      unfollow();
      await router.close();
      await bus.close();
    },
  };
}, logger);
