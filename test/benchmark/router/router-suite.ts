import type { BenchContext } from '../framework/context.js';
import { hasProgram } from '../framework/machine.js';
import type { Bench, Suite } from '../framework/suite.js';
import { addedLatency } from './added-latency.js';
import { cappedCanary } from './capped-canary.js';
import { routerMemory } from './memory.js';
import { routerProfile } from './profile.js';
import { shapes } from './shapes.js';
import { star } from './star.js';
import { startTimes } from './start-times.js';
import { workers } from './workers.js';
import { RouterBenchWorld } from './world.js';

/** The router beside other proxies, all in front of the same model server, under load by wrk. */
export const routerSuite: Suite = {
  name: 'router',
  about: 'CPU per prediction beside nginx, HAProxy and what Node teams take; latency, workers, memory, starts',
  open: async (context) => {
    const install = !context.options.short;
    if (!(await hasProgram('wrk', { debianPackage: 'wrk', install }))) return [withoutLoad];
    const hasNginx = await hasProgram('nginx', { debianPackage: 'nginx-light', install });
    const hasHaproxy = await hasProgram('haproxy', { debianPackage: 'haproxy', install });
    const world = await RouterBenchWorld.open(context);
    const plain = await world.modelServer();
    await world.publish({ model: 'digits', stablePort: plain, canaryPort: plain });
    return [
      { name: 'star', run: () => star(world, { hasNginx, hasHaproxy }) },
      { name: 'shapes', run: () => shapes(world, { hasNginx }) },
      { name: 'latency', run: () => addedLatency(world, { hasNginx }) },
      { name: 'capped-canary', run: () => cappedCanary(world) },
      { name: 'workers', run: () => workers(world) },
      { name: 'starts', run: () => startTimes(world) },
      { name: 'memory', run: () => routerMemory(world) },
      ...profiling(context, world),
    ];
  },
};

const withoutLoad: Bench = {
  name: 'load',
  run: () => Promise.resolve({ title: 'Router: left out, because wrk, which sends the predictions, is not here', rows: [] }), // prettier-ignore
};

const profiling = ({ options }: BenchContext, world: RouterBenchWorld): readonly Bench[] =>
  options.profile ? [{ name: 'profile', run: () => routerProfile(world) }] : [];
