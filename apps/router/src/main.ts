import { createLogger, loadConfig, runUntilSignal } from '@app/shared/core';
import { RouterConfig } from './config.js';
import { connectRouter } from './connect.js';
import { WORKER_ARGUMENT } from './workers/supervised-worker.js';
import { runWorker } from './workers/worker.js';

if (process.argv[2] === WORKER_ARGUMENT && process.send) await runWorker(process.env);
else
  await runUntilSignal(
    async () => {
      const config = loadConfig(RouterConfig, process.env);
      return connectRouter(config, createLogger('router', config.LOG_LEVEL));
    },
    createLogger('router', 'info'),
  );
