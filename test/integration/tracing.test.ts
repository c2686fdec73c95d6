import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { silentLogger, startTracing, systemClock, type Tracing } from '@app/shared';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Standalone, startStandalone } from '../../apps/standalone/src/standalone.js';
import { otelTracing } from '../../libs/shared/src/tracing/otel/otel-tracing.js';

const ENV = {
  ROUTER_PORT: '0',
  CONTROLLER_PORT: '0',
  EVALUATOR_PORT: '0',
  ROUTER_DRAIN_DELAY_MS: '0',
  ROUTER_FLUSH_MS: '1',
};
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PATIENCE = { timeout: 20_000, interval: 20 };

interface Asked {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

let asked: Asked[];
let model: Server;
let standalone: Standalone | undefined;
beforeEach(async () => {
  asked = [];
  model = createServer((request, response) => {
    const { traceparent, tracestate } = request.headers;
    asked.push({ traceparent: traceparent as string, tracestate: tracestate as string });
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{"class":1}'));
  });
  await new Promise<void>((resolve) => model.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await standalone?.close();
  standalone = undefined;
  model.closeAllConnections();
  await new Promise((resolve) => model.close(resolve));
  vi.unstubAllEnvs();
});

async function start(tracing?: Tracing): Promise<Standalone> {
  standalone = await startStandalone({ env: ENV, clock: systemClock, logger: silentLogger, tracing });
  const url = `http://127.0.0.1:${(model.address() as AddressInfo).port}`;
  const file = JSON.stringify({ model: 'm', stable: { version: 'v1', url }, prediction: { pointer: '/class' } });
  const headers = { 'content-type': 'application/json', traceparent: `00-${TRACE}-${SPAN}-01` };
  const applied = await fetch(`${standalone.controllerUrl}/api/v1/rollouts`, { method: 'POST', headers, body: file });
  expect(applied.status).toBe(201);
  return standalone;
}

async function predict({ routerUrl }: Standalone, headers: Record<string, string> = {}): Promise<Response> {
  const ask = () => fetch(`${routerUrl}/v1/models/m:predict`, { method: 'POST', body: '{}', headers });
  await expect.poll(async () => (await fetch(`${routerUrl}/health/ready`)).status, PATIENCE).toBe(200);
  await expect.poll(async () => (await fetch(`${routerUrl}/v1/models/m:other`)).status, PATIENCE).not.toBe(404);
  return ask();
}

describe('traces, through all services', () => {
  let exporter: InMemorySpanExporter;
  const tracing = (ratio = 0): Tracing => {
    exporter = new InMemorySpanExporter();
    return otelTracing({ service: 'all', instance: 'i', ratio }, new SimpleSpanProcessor({ exporter }));
  };
  const named = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name);

  test('lead from a request of the API over the command and the decision to the routers', async () => {
    await start(tracing());
    const names = [
      'POST',
      'send rollout-command',
      'process rollout-command',
      'decision registered',
      'process rollout-state',
    ];
    for (const name of names)
      await expect
        .poll(() => named(name).some((span) => span.spanContext().traceId === TRACE), { ...PATIENCE, message: name })
        .toBe(true);
    const [api] = named('POST');
    expect(api!.parentSpanContext?.spanId).toBe(SPAN);
    const parentOf = (name: string): string | undefined =>
      named(name).find((s) => s.spanContext().traceId === TRACE)?.parentSpanContext?.spanId;
    expect(parentOf('send rollout-command')).toBe(api!.spanContext().spanId);
    expect(parentOf('process rollout-command')).toBe(named('send rollout-command')[0]!.spanContext().spanId);
    expect(parentOf('decision registered')).toBe(named('process rollout-command')[0]!.spanContext().spanId);
    expect(parentOf('process rollout-state')).toBe(named('decision registered')[0]!.spanContext().spanId);
  });

  test('lead from a prediction to its model server, and with its outcome to the evaluator', async () => {
    const services = await start(tracing());
    const response = await predict(services, { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'vendor=x' });
    await expect.poll(() => named('predict').length, PATIENCE).toBe(1);
    const [span] = named('predict');
    const { traceId, spanId } = span!.spanContext();
    expect([traceId, span!.parentSpanContext?.spanId]).toEqual([TRACE, SPAN]);
    expect(span!.attributes).toEqual({
      'http.request.method': 'POST',
      'url.path': '/v1/models/m:predict',
      'http.response.status_code': 200,
      'model_canary.model': 'm',
      'model_canary.version': 'v1',
      'model_canary.prediction_id': response.headers.get('x-prediction-id'),
    });
    expect(asked.at(-1)).toEqual({ traceparent: `00-${TRACE}-${spanId}-01`, tracestate: 'vendor=x' });
    const isLinked = ({ links }: ReadableSpan): boolean => links.some(({ context }) => context.spanId === spanId);
    await expect.poll(() => named('send prediction-outcome').some(isLinked), PATIENCE).toBe(true);
    await expect.poll(() => named('process prediction-outcome').some(isLinked), PATIENCE).toBe(true);
  });

  test('are not made of predictions that bring none, or one that is not sampled; their headers stay as they are', async () => {
    const services = await start(tracing());
    await predict(services);
    await predict(services, { traceparent: `00-${TRACE}-${SPAN}-00` });
    expect(asked.slice(-2).map(({ traceparent }) => traceparent)).toEqual([undefined, `00-${TRACE}-${SPAN}-00`]);
    expect(named('predict')).toEqual([]);
  });

  test('are made of the share of them that is asked for', async () => {
    const services = await start(tracing(1));
    await predict(services);
    await expect
      .poll(
        () => named('predict').some(({ attributes }) => attributes['url.path'] === '/v1/models/m:predict'),
        PATIENCE,
      )
      .toBe(true);
    expect(asked.at(-1)?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

test('spans go to a collector over OTLP, with the service they are of', async () => {
  const bodies: unknown[] = [];
  const collector = createServer((request, response) => {
    const take = async (): Promise<void> => {
      bodies.push({ path: request.url, body: await json(request) });
      response.setHeader('content-type', 'application/json').end('{}');
    };
    void take();
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  try {
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
    const tracing = await startTracing({ TRACES: 'otlp', TRACES_RATIO: 0, INSTANCE: 'one' }, 'all');
    await start(tracing!);
    await standalone!.close();
    const text = JSON.stringify(bodies);
    expect(text).toContain('"path":"/v1/traces"');
    for (const part of ['model-canary-all', 'decision registered', 'rollout-command', TRACE])
      expect(text).toContain(part);
  } finally {
    collector.closeAllConnections();
    await new Promise((resolve) => collector.close(resolve));
  }
});

test('tracing is off unless it is asked for', async () => {
  expect(await startTracing({ TRACES: 'off', TRACES_RATIO: 1, INSTANCE: 'one' }, 'all')).toBeNull();
});
