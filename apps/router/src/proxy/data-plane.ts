import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, PredictionIdSealer } from '@app/shared/core';
import type { RouterConfig } from '../config.js';
import { parseDataPath } from '../domain/data-path.js';
import { type OwnHeaderNames, type RequestFault, readRequestHead } from '../domain/headers.js';
import type { EvidenceRecorder } from '../evidence-recorder.js';
import type { RouterMetrics } from '../metrics.js';
import type { RoutingTable } from '../routing/routing-table.js';
import { Deadlines } from './deadlines.js';
import type { DirectRequest } from './direct-request.js';
import { answerError, answerErrorEarly } from './error-answer.js';
import { Exchange } from './exchange.js';
import { BodyMemory } from './request-body.js';
import { SlotList } from './slot-list.js';
import type { ShadowCopies } from './shadow-copies.js';

/** Deadlines of predictions are met with this precision. */
const DEADLINE_SWEEP_MS = 20;
const FAULTS: Readonly<Record<RequestFault, readonly [httpStatus: number, error: string]>> = {
  'two-hosts': [400, 'the request names two hosts'],
  'transfer-encoding': [501, 'the only transfer encoding that is understood is chunked'],
};

export interface DataPlaneOptions {
  readonly config: RouterConfig;
  readonly table: RoutingTable;
  readonly evidence: EvidenceRecorder;
  readonly sealer: PredictionIdSealer;
  readonly metrics: RouterMetrics;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Whether the table knows all models there are; until then an unknown one may only not be known yet. */
  readonly knowsModels: () => boolean;
  readonly shadows: ShadowCopies;
}

/** What the exchanges share. */
export interface DataPlaneParts extends DataPlaneOptions {
  readonly deadlines: Deadlines;
  readonly clientStallMsMax: number;
  readonly bodyMemory: BodyMemory;
  readonly isDraining: () => boolean;
  readonly nextCounter: () => number;
  readonly onFinished: (exchange: Exchange) => void;
}

/**
 * The data path: plain node:http requests to model servers and back. Nothing in here waits for Kafka, for a disk or
 * for Nest.
 */
export class DataPlane {
  private readonly exchanges = new SlotList<Exchange>();
  private readonly parts: DataPlaneParts;
  private readonly names: OwnHeaderNames;
  private readonly idle: (() => void)[] = [];
  private draining = false;
  private counter = 0;

  constructor(options: DataPlaneOptions) {
    const { config, clock } = options;
    this.names = {
      user: config.ROUTER_USER_HEADER.toLowerCase(),
      override: config.ROUTER_OVERRIDE_HEADER?.toLowerCase() ?? null,
      cookie: config.ROUTER_USER_COOKIE,
    };
    this.parts = {
      ...options,
      deadlines: new Deadlines(clock, DEADLINE_SWEEP_MS),
      clientStallMsMax: config.ROUTER_CLIENT_TIMEOUT_MS,
      bodyMemory: new BodyMemory(config.ROUTER_BUFFER_BYTES_MAX),
      isDraining: () => this.draining,
      nextCounter: () => (this.counter = (this.counter + 1) & 0xffff),
      onFinished: (exchange) => this.onFinished(exchange),
    };
  }

  /** Requests under way. */
  get inFlight(): number {
    return this.exchanges.size;
  }

  /** Handles a request for which isDataPath() holds. */
  handle(request: DirectRequest, response: ServerResponse): void {
    this.admit(request, response)?.begin();
  }

  /** `Expect: 100-continue`: only asks for a body that will be read. */
  handleExpectContinue(request: DirectRequest, response: ServerResponse): void {
    const exchange = this.admit(request, response);
    if (!exchange) return;
    response.writeContinue();
    exchange.begin();
  }

  /** Null: it was refused. */
  private admit(request: DirectRequest, response: ServerResponse): Exchange | null {
    const path = parseDataPath(request.url!);
    if (typeof path === 'string') return this.refuse(request, response, 400, path);
    const head = readRequestHead(request.rawHeaders, this.names);
    if (head.fault !== null) return this.refuse(request, response, ...FAULTS[head.fault]);
    const model = this.parts.table.find(path.model);
    if (!model) return this.refuseModel(request, response, path.model);
    if ((head.contentLength ?? 0) > this.parts.config.ROUTER_BODY_BYTES_MAX)
      return this.refuse(request, response, 413, 'the request body is too long');
    const exchange = new Exchange(this.parts, request, response, model, path.target, head);
    this.exchanges.add(exchange);
    return exchange;
  }

  /** From now on every answer asks its client to close the connection. */
  beginDraining(): void {
    this.draining = true;
  }

  /** Resolves when nothing is under way any more; after `timeoutMs` what still is is cut. */
  async drained(timeoutMs: number): Promise<void> {
    if (this.exchanges.size > 0) {
      const timer = setTimeout(() => this.cutAll(), timeoutMs);
      await new Promise<void>((resolve) => this.idle.push(resolve));
      clearTimeout(timer);
    }
    this.parts.deadlines.close();
  }

  private cutAll(): void {
    this.exchanges.forEach((exchange) => exchange.cut());
  }

  private onFinished(exchange: Exchange): void {
    this.exchanges.delete(exchange);
    if (this.exchanges.size === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private refuseModel(request: IncomingMessage, response: ServerResponse, model: string): null {
    if (this.parts.knowsModels()) return this.refuse(request, response, 404, `unknown model ${model}`);
    const error = `no weights are known for model ${model} yet: Kafka was not read to the end`;
    return this.refuse(request, response, 503, error);
  }

  private refuse(request: IncomingMessage, response: ServerResponse, httpStatus: number, error: string): null {
    this.parts.metrics.countRefused(httpStatus);
    if (request.complete || hasNoBody(request)) answerError(response, httpStatus, error);
    else answerErrorEarly(request, response, httpStatus, error);
    return null;
  }
}

function hasNoBody(request: IncomingMessage): boolean {
  return request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined;
}
