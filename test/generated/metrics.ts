import { Registry } from 'prom-client';
import { ControllerMetrics } from '../../apps/controller/src/metrics.js';
import { EvaluatorMetrics } from '../../apps/evaluator/src/metrics.js';
import { type MeasuredParts, RouterMetrics } from '../../apps/router/src/metrics.js';

export interface MetricEntry {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** What prom-client knows of a metric, of which its types tell a part. */
interface Registered {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Every metric of every service, as their registries have them. */
export function metricsByService(): Readonly<Record<'router' | 'evaluator' | 'controller', readonly MetricEntry[]>> {
  const router = new Registry();
  // They are looked at only when somebody scrapes.
  new RouterMetrics(router).measure({} as MeasuredParts);
  const controller = new ControllerMetrics();
  controller.measure({ states: () => [], verdictOf: () => null, nowMs: () => 0 });
  return {
    router: entriesOf(router),
    evaluator: entriesOf(new EvaluatorMetrics(() => 0).registry),
    controller: entriesOf(controller.registry),
  };
}

function entriesOf(registry: Registry): MetricEntry[] {
  const registered = registry.getMetricsAsArray() as unknown as Registered[];
  return registered
    .map((metric) => ({
      name: metric.name,
      type: metric.type,
      help: metric.help,
      labels: metric.labelNames,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names under which Prometheus knows them. */
export function seriesNames(): ReadonlySet<string> {
  const entries = Object.values(metricsByService()).flat();
  return new Set(
    entries.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}
