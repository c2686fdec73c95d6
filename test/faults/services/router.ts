import { createLogger, loadConfig, runUntilSignal } from '@app/shared';
import { RouterConfig } from '../../../apps/router/src/config.js';
import { connectRouter } from '../../../apps/router/src/connect.js';
import { collectGarbageIfAsked } from './collect-garbage.js';
import { shiftedClock } from './shifted-clock.js';

collectGarbageIfAsked(process.env);

/** The router as it is, but for its clock: see shiftedClock(). */
await runUntilSignal(
  async () => {
    const config = loadConfig(RouterConfig, process.env);
    const clock = shiftedClock(process.env['FAULTS_CLOCK_FILE']!);
    return connectRouter(config, createLogger('router', config.LOG_LEVEL), { clock });
  },
  createLogger('router', 'info'),
);
