/**
 * The router as it is, but for its outcomes, which are made and then acknowledged without being sent. For comparison
 * only.
 */
import {
  type BusProducer,
  configuredKafka,
  createLogger,
  KafkaBus,
  loadConfig,
  type OutRecord,
  runUntilSignal,
} from '@app/shared/core';
import { RouterConfig } from '../../../apps/router/src/config.js';
import { connectRouter } from '../../../apps/router/src/connect.js';

const ACKNOWLEDGED = Promise.resolve();

class SilentProducer implements BusProducer {
  offer(): Promise<void> {
    return ACKNOWLEDGED;
  }

  send(): Promise<void> {
    return ACKNOWLEDGED;
  }

  pendingBytes(): number {
    return 0;
  }

  close(): Promise<readonly OutRecord[]> {
    return Promise.resolve([]);
  }
}

class SilentBus extends KafkaBus {
  override producer(): BusProducer {
    return new SilentProducer();
  }
}

await runUntilSignal(
  async () => {
    const config = loadConfig(RouterConfig, process.env);
    const logger = createLogger('router', config.LOG_LEVEL);
    const bus = new SilentBus(configuredKafka(config, logger, 'router'));
    const router = await connectRouter(config, logger, { bus });
    return { ...router, close: () => router.close().finally(() => bus.close()) };
  },
  createLogger('router', 'info'),
);
