import { createLogger, systemClock } from '@app/shared';
import { startStandalone } from '../standalone.js';
import type { Services } from './demo.js';

/** All three services in this process, on free ports. */
export function startServicesInMemory(): Promise<Services> {
  const env = { ROUTER_PORT: '0', EVALUATOR_PORT: '0', CONTROLLER_PORT: '0' };
  return startStandalone({ env, clock: systemClock, logger: createLogger('demo', 'warn') });
}
