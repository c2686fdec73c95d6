import type { OutcomeStatus } from '@app/shared/core';
import { Counter, type Metric, type Registry } from 'prom-client';

/** Upper ends of the duration's buckets. */
const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What became of a version's predictions, and how long they took. Plain numbers until somebody looks: prom-client finds
 * its labels anew each time, which is too much for what happens with every prediction.
 */
export class PredictionFigures {
  readonly byStatus: Record<OutcomeStatus, number> = { ok: 0, error: 0, timeout: 0, overloaded: 0, cancelled: 0 };
  /** How many were within a bound and no lower one; the last: beyond all. */
  readonly byBound = new Array<number>(BOUNDS_S.length + 1).fill(0);
  secondsSum = 0;

  constructor(
    readonly model: string,
    readonly version: string,
  ) {}

  count(status: OutcomeStatus, latencyMs: number): void {
    const seconds = latencyMs / 1000;
    let bound = 0;
    while (bound < BOUNDS_S.length && seconds > BOUNDS_S[bound]!) bound++;
    this.byStatus[status]++;
    this.byBound[bound]!++;
    this.secondsSum += seconds;
  }
}

/** The figures of all versions, as Prometheus reads them. */
export class PredictionMetrics {
  private readonly byName = new Map<string, PredictionFigures>();

  constructor(registry: Registry, prefix: string) {
    const figures = this.byName;
    new Counter({
      name: `${prefix}predictions_total`,
      help: 'Predictions by the version they were routed to and what became of them there',
      labelNames: ['model', 'version', 'status'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { model, version, byStatus } of figures.values())
          for (const [status, count] of Object.entries(byStatus))
            if (count > 0) this.inc({ model, version, status }, count);
      },
    });
    const durations = new DurationHistogram(`${prefix}prediction_duration_seconds`, figures);
    // Registries take whatever has a name and get(), which its type does not say.
    registry.registerMetric(durations as unknown as Metric);
  }

  /** Of one version; the same over all its generations. */
  of(model: string, version: string): PredictionFigures {
    const name = JSON.stringify([model, version]);
    let figures = this.byName.get(name);
    if (!figures) this.byName.set(name, (figures = new PredictionFigures(model, version)));
    return figures;
  }
}

/** What a registry asks of a histogram. */
class DurationHistogram {
  readonly help = 'From routing to the last byte of the answer, or to when it was given up';
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly labelNames = ['model', 'version'];

  constructor(
    readonly name: string,
    private readonly figures: ReadonlyMap<string, PredictionFigures>,
  ) {}

  async get() {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: [...this.figures.values()].flatMap((of) => this.valuesOf(of)) };
  }

  private valuesOf({ model, version, byBound, secondsSum }: PredictionFigures) {
    const labels = { model, version };
    let count = 0;
    const buckets = byBound.map((within, i) => {
      count += within;
      return { metricName: `${this.name}_bucket`, labels: { le: BOUNDS_S[i] ?? '+Inf', ...labels }, value: count };
    });
    if (count === 0) return [];
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: secondsSum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
