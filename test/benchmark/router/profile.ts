import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { profileFlags, renderProfile } from '../framework/profile.js';
import type { Section } from '../framework/report.js';
import { startRouter } from './contestants.js';
import { measureProxy } from './measure.js';
import type { RouterBenchWorld } from './world.js';

/** Where the router's time goes at saturation. */
export async function routerProfile(world: RouterBenchWorld): Promise<Section> {
  const { context } = world;
  const folder = mkdtempSync(join(context.folder, 'profile-'));
  const options = { name: 'profiled', env: world.routerEnv, nodeFlags: profileFlags(folder) };
  const router = await startRouter(options, context);
  await measureProxy(router, { seconds: 3 * context.options.seconds, guard: context.guard });
  await router.program.stop();
  return {
    title: 'Router: functions by their own share of the time that is not idle',
    rows: [],
    notes: renderProfile(folder),
  };
}
