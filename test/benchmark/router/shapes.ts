import { say } from '../framework/context.js';
import { ratioSpread } from '../framework/figures.js';
import { row, type Row, type Section } from '../framework/report.js';
import { inTurns } from '../framework/rounds.js';
import { built, type ModelServerOptions, type Proxy, startNginx, startRouter } from './contestants.js';
import { measureProxy, type ProxySample } from './measure.js';
import type { RouterBenchWorld } from './world.js';
import type { WrkOptions } from './wrk.js';

interface Shape {
  readonly what: string;
  readonly load: Partial<WrkOptions>;
  readonly server?: ModelServerOptions;
  readonly isWithoutOutcomes?: boolean;
  /** Another way through the code. */
  readonly isInShort?: boolean;
}

const SSE_CHUNKS = 200;
/** One thing changed at a time: usual is 700 bytes in, 300 out, 64 connections, outcomes on. */
const SHAPES: readonly Shape[] = [
  { what: 'body of 64 kB', load: { bodyBytes: 64_000 } },
  { what: 'body of 1 MB', load: { bodyBytes: 1_000_000 }, isInShort: true },
  { what: '1 connection', load: { connections: 1 } },
  { what: '512 connections', load: { connections: 512 } },
  {
    what: `${SSE_CHUNKS} server-sent events`,
    load: { model: 'streams' },
    server: { events: SSE_CHUNKS },
    isInShort: true,
  },
  { what: 'outcomes made, not sent', load: {}, isWithoutOutcomes: true, isInShort: true },
];

/** Predictions of other shapes, beside nginx with keep-alive upstreams. */
export async function shapes(world: RouterBenchWorld, { hasNginx }: { readonly hasNginx: boolean }): Promise<Section> {
  const { context } = world;
  const { rounds, seconds, short } = context.options;
  const streamPort = await world.modelServer({ events: SSE_CHUNKS });
  await world.publish({ model: 'streams', stablePort: streamPort, canaryPort: streamPort });
  const started: Proxy[] = [];
  const kept = async (starting: Promise<Proxy>): Promise<Proxy> => {
    const proxy = await starting;
    started.push(proxy);
    return proxy;
  };
  try {
    const env = world.routerEnv;
    const router = await kept(startRouter({ name: 'router', env }, context));
    const silent = await kept(startRouter({ name: 'silent', env, main: built('outcomes-off-main') }, context));
    const rows: Row[] = [];
    for (const { what, load, server = {}, isWithoutOutcomes = false } of short
      ? SHAPES.filter(({ isInShort }) => isInShort)
      : SHAPES) {
      say(`  ${what} ...`);
      const ours = isWithoutOutcomes ? silent : router;
      const nginx = hasNginx ? await startNginx('nginx', 'off', await world.modelServer(server), context) : null;
      const proxies = [...(nginx ? [nginx] : []), ours];
      const samples = await inTurns(proxies, { rounds, warmUps: 0 }, (proxy) =>
        measureProxy(proxy, { ...load, seconds, guard: context.guard }),
      );
      await nginx?.program.stop();
      rows.push(...rowsOf(what, samples.get(ours.name)!, samples.get('nginx') ?? []));
    }
    return { title: 'Router: other shapes, CPU per prediction', rows };
  } finally {
    await Promise.all(started.map(({ program }) => program.stop()));
  }
}

function rowsOf(what: string, ours: readonly ProxySample[], nginx: readonly ProxySample[]): readonly Row[] {
  const cpuUs = (samples: readonly ProxySample[]): readonly number[] => samples.map((sample) => sample.cpuUs);
  return [
    row(`${what}: router`, cpuUs(ours), 'us'),
    row(`${what}: router / nginx`, ratioSpread(cpuUs(ours), cpuUs(nginx)), ''),
  ];
}
