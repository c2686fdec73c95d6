import {
  KafkaBus,
  configuredSealer,
  configuredTopics,
  createLogger,
  loadConfig,
  runUntilSignal,
  startTracing,
  systemClock,
} from '@app/shared';
import { RouterConfig } from './config.js';
import { startRouter } from './start.js';

const logger = createLogger('router', 'info');
await runUntilSignal(async () => {
  const config = loadConfig(RouterConfig, process.env);
  logger.level = config.LOG_LEVEL;
  const sealer = configuredSealer(config);
  const kafka = new KafkaBus({
    brokers: config.KAFKA_BROKERS.split(','),
    clientId: `router-${config.INSTANCE}`,
    logger,
  });
  const topics = configuredTopics(config);
  const tracing = await startTracing(config, 'router');
  const bus = tracing?.bus(kafka, topics) ?? kafka;
  const router = await startRouter({ config, topics, bus, sealer, clock: systemClock, logger, tracing });
  return {
    url: router.url,
    async close() {
      await router.close();
      await bus.close();
      await tracing?.close();
    },
  };
}, logger);
