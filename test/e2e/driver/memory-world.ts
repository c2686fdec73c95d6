import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@app/shared';
import { startStandalone } from '../../../apps/standalone/src/standalone.js';
import type { World } from './world.js';

/** The standalone app in this process, on memory adapters. */
export async function startMemoryWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'model-canary-e2e-'));
  const env = { ROUTER_PORT: '0', EVALUATOR_PORT: '0', CONTROLLER_PORT: '0', ROUTER_DATA_DIR: folder };
  const standalone = await startStandalone({ env, clock: systemClock, logger: silentLogger });
  return {
    routerUrls: () => [standalone.routerUrl],
    controllerUrl: () => standalone.controllerUrl,
    bus: standalone.bus,
    topics: standalone.topics,
    close: async () => {
      await standalone.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
