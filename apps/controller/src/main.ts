import { createLogger, runUntilSignal } from '@app/shared';
import { readControllerConfig } from './config.js';
import { connectController } from './connect.js';

await runUntilSignal(
  async () => {
    const read = readControllerConfig(process.env);
    return connectController(read, createLogger('controller', read.config.LOG_LEVEL));
  },
  createLogger('controller', 'info'),
);
