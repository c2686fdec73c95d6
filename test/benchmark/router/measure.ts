import type { Proxy } from './contestants.js';
import { runWrk, type WrkFigures, type WrkOptions } from './wrk.js';

export interface ProxySample extends WrkFigures {
  /** CPU of the proxy and its children per prediction. */
  readonly cpuUs: number;
}

/** Lets predictions through a proxy for some seconds. */
export async function measureProxy({ port, program }: Proxy, load: Omit<WrkOptions, 'port'>): Promise<ProxySample> {
  const before = program.cpuMs();
  const figures = await runWrk({ ...load, port });
  return { ...figures, cpuUs: ((program.cpuMs() - before) * 1000) / figures.requests };
}
