import { createLogger, loadConfig, runUntilSignal, systemClock } from '@app/shared';
import { StandaloneConfig } from './config.js';
import { startStandalone } from './standalone.js';

await runUntilSignal(
  async () => {
    const { LOG_LEVEL } = loadConfig(StandaloneConfig, process.env);
    return startStandalone({ env: process.env, clock: systemClock, logger: createLogger('standalone', LOG_LEVEL) });
  },
  createLogger('standalone', 'info'),
);
