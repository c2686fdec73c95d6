import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import { TraceFlags } from '@opentelemetry/api';
import type { PredictionContexts } from './prediction-contexts.js';
import {
  type Context,
  type Headers,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type Spans,
  SpanStatusCode,
  trace,
} from './spans.js';

const MODEL_IN_PATH = /\/models\/([^/:?]+)/;

/** Spans of requests that a service answers. */
export class HttpSpans {
  constructor(
    private readonly spans: Spans,
    private readonly predictions: PredictionContexts,
    /** Of requests that bring no context, this share is traced; those that do say it themselves. */
    private readonly ratio: number,
    /** Uniform in [0, 1). */
    private readonly random: () => number,
  ) {}

  prediction(request: IncomingMessage, response: ServerResponse): void {
    const parent = this.spans.contextIn(request.headers as Headers);
    if (parent ? !isSampled(parent) : this.random() >= this.ratio) return;
    const { span, context } = this.spans.start('predict', {
      kind: SpanKind.SERVER,
      parent: parent ?? ROOT_CONTEXT,
      attributes: attributesOf(request),
    });
    const model = MODEL_IN_PATH.exec(request.url ?? '')?.[1];
    if (model !== undefined) span.setAttribute('model_canary.model', decoded(model));
    // The request goes on with these headers: the model server's spans belong to this one.
    handOn(request.rawHeaders, this.spans.headersOf(context));
    watchHead(response, (name, value) => {
      if (name === 'x-model-version') span.setAttribute('model_canary.version', value);
      if (name !== 'x-prediction-id') return;
      span.setAttribute('model_canary.prediction_id', value);
      this.predictions.keep(value, context);
    });
    endWith(response, span);
  }

  apiRequest(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    const parent = this.spans.contextIn(request.headers as Headers);
    const { span, context } = this.spans.start(`${request.method}`, {
      kind: SpanKind.SERVER,
      parent: parent ?? ROOT_CONTEXT,
      attributes: attributesOf(request),
    });
    endWith(response, span);
    this.spans.run(context, next);
  }
}

const isSampled = (context: Context): boolean =>
  ((trace.getSpanContext(context)?.traceFlags ?? 0) & TraceFlags.SAMPLED) !== 0;

/** Without the query: it may hold what is nobody's business. */
const attributesOf = ({ method, url }: IncomingMessage) => ({
  'http.request.method': method ?? '',
  'url.path': url?.split('?')[0] ?? '',
});

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Puts our context in the place of the client's. */
function handOn(rawHeaders: string[], context: Headers): void {
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2)
    if (/^trace(parent|state)$/i.test(rawHeaders[i]!)) rawHeaders.splice(i, 2);
  for (const [name, value] of Object.entries(context)) rawHeaders.push(name, value);
}

/** Tells the headers of the answer when its head is written: a list of names and values, or an object. */
function watchHead(response: ServerResponse, onHeader: (name: string, value: string) => void): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = (...args: unknown[]): ServerResponse => {
    const headers = args.find((arg) => typeof arg === 'object' && arg !== null);
    if (Array.isArray(headers))
      for (let i = 0; i + 1 < headers.length; i += 2)
        onHeader(String(headers[i]).toLowerCase(), String(headers[i + 1]));
    else
      for (const [name, value] of Object.entries((headers ?? {}) as Record<string, OutgoingHttpHeader>))
        onHeader(name.toLowerCase(), String(value));
    return writeHead(...args);
  };
}

function endWith(response: ServerResponse, span: Span): void {
  response.once('close', () => {
    const { statusCode, writableFinished } = response;
    span.setAttribute('http.response.status_code', statusCode);
    if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    if (!writableFinished) span.setAttribute('error.type', 'cancelled');
    span.end();
  });
}
