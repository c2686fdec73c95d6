import { randomBytes } from 'node:crypto';
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo, ListenOptions } from 'node:net';
import {
  type Clock,
  Health,
  type Logger,
  type MessageBus,
  type MetricsSource,
  type PredictionIdSealer,
  type ReadinessCheck,
  type RunningService,
  type TopicNames,
  type Tracing,
} from '@app/shared/core';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import type { RouterConfig } from './config.js';
import { isDataPath } from './domain/data-path.js';
import { drain } from './drain.js';
import { EvidenceRecorder } from './evidence-recorder.js';
import { RouterMetrics } from './metrics.js';
import { DataPlane } from './proxy/data-plane.js';
import { DirectRequest } from './proxy/direct-request.js';
import { ShadowCopies } from './proxy/shadow-copies.js';
import { OutcomePublisher } from './publishing/outcome-publisher.js';
import { PairPublisher } from './publishing/pair-publisher.js';
import type { Tally } from './publishing/tally.js';
import { RouterModule } from './router.module.js';
import { RoutingTable } from './routing/routing-table.js';
import { serveModel } from './routing/served-model.js';
import { Upstreams, parseUpstreamHeaders } from './routing/upstream.js';
import type { WeightsSource } from './routing/weights.js';

export interface ServingDeps {
  readonly config: RouterConfig;
  readonly topics: TopicNames;
  readonly bus: MessageBus;
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Null or absent: off. */
  readonly tracing?: Tracing | null;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly weights: WeightsSource;
  /** Of the outcome topic, for this process's whole life. */
  readonly partitions: number;
  readonly listen: ListenOptions;
  /** What /metrics shows, made of this process's own. Default: those. */
  readonly metricsOf?: (own: Registry) => MetricsSource;
  readonly readinessChecks?: readonly ReadinessCheck[];
}

const FLUSH_MS_MAX = 1200;
/** How often clients that are late with their requests are looked for. */
const CONNECTIONS_CHECK_MS = 1000;
/** Longer than the idle time of usual clients and load balancers: the side that closes should be the client's. */
const CLIENT_KEEP_ALIVE_MS = 75_000;

/** Serves predictions by weights that somebody else keeps current, and puts out their outcomes. */
export async function startServing(deps: ServingDeps): Promise<RunningService> {
  const parts = connectParts(deps);
  try {
    const http = await serveHttp(deps, parts);
    return { url: http.url, close: once(() => closeServing(http, parts, deps.config)) };
  } catch (error) {
    await closeParts(parts);
    throw error;
  }
}

type Parts = ReturnType<typeof connectParts>;

/** Makes the parts and connects them: weights in, outcomes out, the data plane between. */
function connectParts(deps: ServingDeps) {
  const { config, topics, bus, sealer, clock, logger, random, weights, partitions } = deps;
  const headers = parseUpstreamHeaders(config.ROUTER_UPSTREAM_HEADERS);
  const router = `${config.INSTANCE}-${randomBytes(8).toString('hex')}`;
  const health = new Health();
  const registry = new Registry();
  const metrics = new RouterMetrics(registry);
  const publisher = new OutcomePublisher({
    bus,
    topic: topics.outcome,
    partitions,
    producers: config.ROUTER_PRODUCERS,
    flushMs: config.ROUTER_FLUSH_MS,
    flushMsMax: config.ROUTER_FLUSH_MS_MAX,
    router,
    dataDir: config.ROUTER_DATA_DIR,
    spoolBytesMax: config.ROUTER_SPOOL_BYTES_MAX,
    spoolFsync: config.ROUTER_SPOOL_FSYNC,
    journalAfterMs: config.ROUTER_JOURNAL_AFTER_MS,
    replayPerSecond: config.ROUTER_REPLAY_PER_SECOND,
    clock,
    logger,
  });
  const evidence = new EvidenceRecorder({ router, partitions, publisher, clock });
  const tls = { ca: config.ROUTER_UPSTREAM_CA, cert: config.ROUTER_UPSTREAM_CERT, key: config.ROUTER_UPSTREAM_KEY };
  const upstreams = new Upstreams({ headers, tls, clock });
  const tally = (model: string, version: string): Tally => publisher.tally(model, version);
  const table = new RoutingTable({
    serve: (plan) => serveModel(plan, { router, upstreams, tally, metrics }),
    onUsed: (used) => upstreams.retain(used),
    onChange: (model) => evidence.cutModel(model),
  });
  weights.subscribe(table);
  const knowsModels = (): boolean => weights.status().caughtUp;
  const pairs = new PairPublisher({ bus, topic: topics.label, flushMs: config.ROUTER_FLUSH_MS });
  const shadows = new ShadowCopies({
    inFlightMax: config.ROUTER_SHADOW_IN_FLIGHT_MAX,
    publish: (pair) => pairs.publish(pair),
  });
  const dataPlane = new DataPlane({ config, table, evidence, sealer, metrics, clock, random, knowsModels, shadows });
  const liveBuckets = (): number => evidence.liveBuckets;
  const spoolBytesMax = config.ROUTER_SPOOL_BYTES_MAX;
  metrics.measure({ table, publisher, weights, liveBuckets, shadows, pairs, spoolBytesMax });
  health.addCheck(() =>
    table.size > 0 || knowsModels() ? null : 'no weights: none on disk, and Kafka was not read to the end',
  );
  for (const check of deps.readinessChecks ?? []) health.addCheck(check);
  return { health, registry, publisher, evidence, upstreams, dataPlane, shadows, pairs };
}

/** Listens. Requests for models go straight to the data plane, everything else through Nest. */
async function serveHttp({ config, tracing, listen, metricsOf }: ServingDeps, { dataPlane, health, registry }: Parts) {
  const patienceMs = config.ROUTER_CLIENT_TIMEOUT_MS;
  const server = createServer({
    IncomingMessage: DirectRequest,
    headersTimeout: patienceMs,
    requestTimeout: patienceMs,
    connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, patienceMs / 5),
    keepAliveTimeout: CLIENT_KEEP_ALIVE_MS,
  });
  const serverFactory = (nest: RequestListener): Server => {
    server.on('request', (request, response) => {
      if (!isDataPath(request.url!)) return nest(request, response);
      tracing?.prediction(request, response);
      dataPlane.handle(request, response);
    });
    server.on('checkContinue', (request, response) => {
      if (isDataPath(request.url!)) {
        tracing?.prediction(request, response);
        return dataPlane.handleExpectContinue(request, response);
      }
      response.writeContinue();
      nest(request, response);
    });
    return server;
  };
  const metrics = metricsOf?.(registry) ?? registry;
  const app = await NestFactory.create<NestFastifyApplication>(
    RouterModule.register({ health, registry: metrics }),
    new FastifyAdapter({ serverFactory }),
    { logger: false, abortOnError: false },
  );
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, () => resolve());
  });
  return { app, server, url: urlOf(server) };
}

function urlOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Readiness off, drain, put out the last buckets, flush, disconnect. */
async function closeServing(
  { app, server }: { readonly app: NestFastifyApplication; readonly server: Server },
  parts: Parts,
  config: RouterConfig,
): Promise<void> {
  parts.health.drain();
  await drain(server, parts.dataPlane, config.ROUTER_DRAIN_DELAY_MS);
  await app.close();
  await closeParts(parts);
}

async function closeParts({ evidence, publisher, upstreams, shadows, pairs }: Parts): Promise<void> {
  shadows.close();
  evidence.close();
  upstreams.destroy();
  await Promise.all([publisher.close(FLUSH_MS_MAX), pairs.close(FLUSH_MS_MAX)]);
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | null = null;
  return () => (closing ??= close());
}
