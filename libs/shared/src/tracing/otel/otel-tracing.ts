import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { MessageBus } from '../../bus/message-bus.js';
import type { TopicNames } from '../../contracts/topics.js';
import { VERSION } from '../../version.js';
import type { Tracing } from '../tracing.js';
import { HttpSpans } from './http-spans.js';
import { PredictionContexts } from './prediction-contexts.js';
import { Spans } from './spans.js';
import { TracedBus } from './traced-bus.js';

export interface OtelTracingOptions {
  readonly service: string;
  readonly instance: string;
  /** Share of the predictions without a context of their own that are traced. */
  readonly ratio: number;
  readonly random?: () => number;
}

/** Sends spans over OTLP/HTTP, in batches, to where the OTEL_* variables say. */
export function otlpTracing(options: OtelTracingOptions): Tracing {
  return otelTracing(options, new BatchSpanProcessor({ exporter: new OTLPTraceExporter() }));
}

export function otelTracing(options: OtelTracingOptions, processor: SpanProcessor): Tracing {
  const { service, instance, ratio, random = Math.random } = options;
  const provider = new TracerProvider({
    // Which requests are traced is decided before there is a span: one that is not costs none.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [processor],
    resource: resourceFromAttributes({
      'service.name': `model-canary-${service}`,
      'service.namespace': 'model-canary',
      'service.instance.id': instance,
      'service.version': VERSION,
    }),
  });
  const spans = new Spans(provider.getTracer('model-canary', VERSION));
  const predictions = new PredictionContexts();
  const http = new HttpSpans(spans, predictions, ratio, random);
  return {
    bus: (bus: MessageBus, topics: TopicNames) => new TracedBus(bus, topics, spans, predictions),
    prediction: (request, response) => http.prediction(request, response),
    apiRequest: (request, response, next) => http.apiRequest(request, response, next),
    close: () => provider.shutdown(),
  };
}
