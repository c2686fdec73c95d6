import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MessageBus } from '../bus/message-bus.js';
import type { TopicNames } from '../contracts/topics.js';

/** What a service needs to know to trace. */
export interface TracingSettings {
  readonly TRACES: 'off' | 'otlp';
  readonly TRACES_RATIO: number;
  readonly INSTANCE: string;
}

/** Spans of what a service does. Where tracing is off there is none, and nothing of it is loaded. */
export interface Tracing {
  /** A bus that traces what goes over it and hands the W3C context on in record headers. */
  bus(bus: MessageBus, topics: TopicNames): MessageBus;
  /** A request of the data plane, until its answer is out; model servers and the outcome's record get its context. */
  prediction(request: IncomingMessage, response: ServerResponse): void;
  /** A request of the API; what `next` leads to belongs to it. */
  apiRequest(request: IncomingMessage, response: ServerResponse, next: () => void): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * Null unless it is switched on. Where spans go is said by the standard variables, OTEL_EXPORTER_OTLP_ENDPOINT and
 * others, which the exporter reads itself.
 */
export async function startTracing(settings: TracingSettings, service: string): Promise<Tracing | null> {
  if (settings.TRACES === 'off') return null;
  // Loaded only when it is wanted: it takes memory and time to start.
  // eslint-disable-next-line no-restricted-syntax
  const { otlpTracing } = await import('./otel/otel-tracing.js');
  return otlpTracing({ service, instance: settings.INSTANCE, ratio: settings.TRACES_RATIO });
}
