import { createLogger, loadConfig, runUntilSignal } from '@app/shared';
import { RouterConfig } from './config.js';
import { connectRouter } from './connect.js';

await runUntilSignal(
  async () => {
    const config = loadConfig(RouterConfig, process.env);
    return connectRouter(config, createLogger('router', config.LOG_LEVEL));
  },
  createLogger('router', 'info'),
);
