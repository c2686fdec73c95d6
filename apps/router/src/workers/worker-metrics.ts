import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client';
import { within } from '../within.js';
import type { MetricsJson } from './messages.js';
import type { SupervisedWorker } from './supervised-worker.js';

/** Who does not give its metrics in this time is left out. */
const GIVE_MS_MAX = 2000;

interface Asking {
  readonly worker: SupervisedWorker;
  readonly resolve: (metrics: MetricsJson) => void;
}

/** The metrics of all workers as one router's: added up, unless a metric says otherwise. */
export class WorkerMetrics {
  private readonly registry = new Registry();
  private readonly restarts: Counter;
  private readonly asked = new Map<number, Asking>();
  private requests = 0;

  constructor(private readonly living: () => readonly SupervisedWorker[]) {
    const registers = [this.registry];
    this.restarts = new Counter({
      name: 'model_canary_router_worker_restarts_total',
      help: 'Workers that ended without being told to, and were replaced',
      registers,
    });
    new Gauge({
      name: 'model_canary_router_workers_serving',
      help: 'Workers that serve; fewer than ROUTER_WORKERS while one is being replaced',
      registers,
      collect() {
        this.set(living().filter(({ isServing }) => isServing).length);
      },
    });
  }

  countRestart(): void {
    this.restarts.inc();
  }

  /** A worker's answer. */
  take(worker: SupervisedWorker, request: number, metrics: MetricsJson): void {
    const asking = this.asked.get(request);
    if (asking?.worker === worker) asking.resolve(metrics);
  }

  async ofAll(): Promise<string> {
    const serving = this.living().filter(({ isServing }) => isServing);
    const given = await Promise.all(serving.map((worker) => this.ask(worker)));
    const own = await this.registry.getMetricsAsJSON();
    const all = [...given.filter((metrics) => metrics !== null), own];
    return AggregatorRegistry.aggregate(all).metrics();
  }

  private async ask(worker: SupervisedWorker): Promise<MetricsJson | null> {
    const request = ++this.requests;
    const answer = new Promise<MetricsJson>((resolve) => this.asked.set(request, { worker, resolve }));
    worker.tell({ kind: 'give-metrics', request });
    const metrics = await within(GIVE_MS_MAX, answer);
    this.asked.delete(request);
    return metrics;
  }
}
