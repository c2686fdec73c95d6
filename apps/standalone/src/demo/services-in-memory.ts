import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, systemClock } from '@app/shared';
import { startStandalone } from '../standalone.js';
import type { Services } from './demo.js';

/** All three services in this process, on free ports. */
export async function startServicesInMemory(): Promise<Services> {
  const folder = await mkdtemp(join(tmpdir(), 'model-canary-demo-'));
  const env = { ROUTER_PORT: '0', EVALUATOR_PORT: '0', CONTROLLER_PORT: '0', ROUTER_DATA_DIR: folder };
  const standalone = await startStandalone({ env, clock: systemClock, logger: createLogger('demo', 'warn') });
  const close = async (): Promise<void> => {
    await standalone.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { routerUrl: standalone.routerUrl, controllerUrl: standalone.controllerUrl, close };
}
