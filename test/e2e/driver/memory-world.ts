import { silentLogger, systemClock } from '@app/shared';
import { startStandalone } from '../../../apps/standalone/src/standalone.js';
import type { World } from './world.js';

/** The standalone app in this process, on memory adapters. */
export async function startMemoryWorld(): Promise<World> {
  const env = { ROUTER_PORT: '0', EVALUATOR_PORT: '0', CONTROLLER_PORT: '0' };
  const standalone = await startStandalone({ env, clock: systemClock, logger: silentLogger });
  const { routerUrl, controllerUrl, bus, topics } = standalone;
  return {
    routerUrls: () => [routerUrl],
    controllerUrl: () => controllerUrl,
    bus,
    topics,
    close: () => standalone.close(),
  };
}
