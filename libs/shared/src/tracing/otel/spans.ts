import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

export type Headers = Readonly<Record<string, string>>;

interface SpanText {
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly links?: readonly SpanContext[];
  /** Default: what is under way. */
  readonly parent?: Context;
}

const propagator = new W3CTraceContextPropagator();
const GETTER = {
  keys: (headers: Headers): string[] => Object.keys(headers),
  get: (headers: Headers, name: string): string | undefined => headers[name],
};
const SETTER = { set: (headers: Record<string, string>, name: string, value: string) => void (headers[name] = value) };

/** Makes spans, knows which one is under way, and carries contexts in headers. Uses nothing global of OpenTelemetry. */
export class Spans {
  private readonly underWay = new AsyncLocalStorage<Context>();

  constructor(private readonly tracer: Tracer) {}

  active(): Context {
    return this.underWay.getStore() ?? ROOT_CONTEXT;
  }

  isActive(): boolean {
    return this.underWay.getStore() !== undefined;
  }

  start(
    name: string,
    { kind, attributes, links = [], parent = this.active() }: SpanText,
  ): { span: Span; context: Context } {
    const linked: Link[] = links.map((context) => ({ context }));
    const span = this.tracer.startSpan(name, { kind, attributes, links: linked }, parent);
    return { span, context: trace.setSpan(parent, span) };
  }

  run<T>(context: Context, work: () => T): T {
    return this.underWay.run(context, work);
  }

  /** Ends the span when the work has, and says if it failed. */
  ending<T>(span: Span, work: Promise<T>): Promise<T> {
    work.then(
      () => span.end(),
      (error: unknown) => fail(span, error),
    );
    return work;
  }

  /** `traceparent` and `tracestate` of a context. */
  headersOf(context: Context): Headers {
    const headers: Record<string, string> = {};
    propagator.inject(context, headers, SETTER);
    return headers;
  }

  /** The context that headers carry, if they do and if it is one. */
  contextIn(headers: Headers | undefined): Context | null {
    if (headers?.['traceparent'] === undefined) return null;
    const context = propagator.extract(ROOT_CONTEXT, headers, GETTER);
    return trace.getSpanContext(context) ? context : null;
  }
}

export function fail(span: Span, error: unknown): void {
  const { message, name } = error as Error;
  span.recordException({ name, message });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.end();
}

export { type Attributes, type Context, ROOT_CONTEXT, type Span, type SpanContext, SpanKind, SpanStatusCode, trace };
