import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { VERSION } from '../version.js';

export const METRICS_PREFIX = 'model_canary_';

/** Sums of what prom-client shows by type as well, under names that promise counters. */
const GAUGES_IN_DISGUISE = ['resources', 'handles', 'requests'];

/** What every service shows of itself: version, CPU, memory, open files, garbage collection and the event loop's lag. */
export function addProcessMetrics(registry: Registry, service: string): void {
  collectDefaultMetrics({ register: registry, prefix: METRICS_PREFIX });
  for (const name of GAUGES_IN_DISGUISE) registry.removeSingleMetric(`${METRICS_PREFIX}nodejs_active_${name}_total`);
  new Gauge({
    name: `${METRICS_PREFIX}build_info`,
    help: '1; its labels say what runs here.',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service, version: VERSION, node: process.versions.node }, 1);
}
