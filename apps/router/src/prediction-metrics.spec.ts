import { AggregatorRegistry, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { PredictionMetrics } from './prediction-metrics.js';

const DURATIONS_MS = [0, 0.4, 1, 1.001, 7, 2500, 29_999, 30_000, 31_000];
const BOUNDS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

function counted(): Registry {
  const registry = new Registry();
  const metrics = new PredictionMetrics(registry, 'x_');
  for (const latencyMs of DURATIONS_MS) metrics.of('m', 'v1').count('ok', latencyMs);
  metrics.of('m', 'v2');
  return registry;
}

describe('metrics of predictions', () => {
  it("show the same histogram as prom-client's own", async () => {
    const own = new Registry();
    const histogram = new Histogram({
      name: 'x_prediction_duration_seconds',
      help: 'From routing to the last byte of the answer, or to when it was given up',
      labelNames: ['model', 'version'],
      buckets: BOUNDS_S,
      registers: [own],
    });
    for (const latencyMs of DURATIONS_MS) histogram.observe({ model: 'm', version: 'v1' }, latencyMs / 1000);
    const name = 'x_prediction_duration_seconds';
    expect(await counted().getSingleMetricAsString(name)).toBe(await own.getSingleMetricAsString(name));
  });

  it('count by what became of them, the same version over all its generations', async () => {
    const registry = new Registry();
    const metrics = new PredictionMetrics(registry, 'x_');
    metrics.of('m', 'v1').count('ok', 1);
    metrics.of('m', 'v1').count('ok', 1);
    metrics.of('m', 'v1').count('timeout', 1);
    const shown = await registry.metrics();
    expect(shown).toContain('x_predictions_total{model="m",version="v1",status="ok"} 2');
    expect(shown).toContain('x_predictions_total{model="m",version="v1",status="timeout"} 1');
    expect(shown).not.toContain('"error"');
  });

  it('of several workers are added up', async () => {
    const workers = await Promise.all([counted(), counted()].map((registry) => registry.getMetricsAsJSON()));
    const shown = await AggregatorRegistry.aggregate(workers).metrics();
    expect(shown).toContain('x_predictions_total{model="m",version="v1",status="ok"} 18');
    expect(shown).toMatch(/x_prediction_duration_seconds_bucket\{le="0.001",model="m",version="v1"\} 6/);
    expect(shown).toMatch(/x_prediction_duration_seconds_count\{model="m",version="v1"\} 18/);
  });
});
