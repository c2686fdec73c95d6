import { createLogger, runUntilSignal } from '@app/shared';
import { readControllerConfig } from '../../../apps/controller/src/config.js';
import { connectController } from '../../../apps/controller/src/connect.js';
import { collectGarbageIfAsked } from './collect-garbage.js';
import { shiftedClock } from './shifted-clock.js';

collectGarbageIfAsked(process.env);

/** The controller as it is, but for its clock: see shiftedClock(). */
await runUntilSignal(
  async () => {
    const read = readControllerConfig(process.env);
    const clock = shiftedClock(process.env['FAULTS_CLOCK_FILE']!);
    return connectController(read, createLogger('controller', read.config.LOG_LEVEL), { clock });
  },
  createLogger('controller', 'info'),
);
