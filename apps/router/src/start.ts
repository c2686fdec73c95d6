import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { type RequestListener, type Server, createServer } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import {
  type Clock,
  Health,
  type Logger,
  type MessageBus,
  type PredictionIdSealer,
  type RunningService,
  type TopicNames,
} from '@app/shared';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Registry } from 'prom-client';
import type { RouterConfig } from './config.js';
import { isDataPath } from './domain/data-path.js';
import { EvidenceRecorder } from './evidence-recorder.js';
import { RouterMetrics } from './metrics.js';
import { outcomePartitions, within } from './outcome-partitions.js';
import { DataPlane } from './proxy/data-plane.js';
import { ShadowCopies } from './proxy/shadow-copies.js';
import { OutcomePublisher } from './publishing/outcome-publisher.js';
import { PairPublisher } from './publishing/pair-publisher.js';
import type { Tally } from './publishing/tally.js';
import { RouterModule } from './router.module.js';
import { DataDirectory } from './routing/data-directory.js';
import { RoutingTable } from './routing/routing-table.js';
import { serveModel } from './routing/served-model.js';
import { StateFollower } from './routing/state-follower.js';
import { type UpstreamSettings, Upstreams, parseUpstreamHeaders } from './routing/upstream.js';

export interface RouterDeps {
  readonly config: RouterConfig;
  readonly topics: TopicNames;
  /** Stays open: whoever made it closes it after the router. */
  readonly bus: MessageBus;
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1): assigns requests without a user. Default Math.random. */
  readonly random?: () => number;
}

/** How long the start waits for the weights in Kafka; those on disk are served meanwhile. */
const WEIGHTS_WAIT_MS = 700;
const DRAIN_MS_MAX = 7500;
const LAST_BYTES_MS_MAX = 500;
const FLUSH_MS_MAX = 1200;
/** Longer than the idle time of usual clients and load balancers: the side that closes should be the client's. */
const CLIENT_KEEP_ALIVE_MS = 75_000;

/**
 * Starts a router: serves with the weights on disk at once and with those in Kafka as soon as it can read them. Throws
 * CanaryError if its data directory cannot be used, a topic is missing or configuration is wrong.
 */
export async function startRouter(deps: RouterDeps): Promise<RunningService> {
  const { config, logger } = deps;
  const headers = parseUpstreamHeaders(config.ROUTER_UPSTREAM_HEADERS);
  const dataDirectory = new DataDirectory(config.ROUTER_DATA_DIR, logger);
  const opened: (() => Promise<void>)[] = [() => dataDirectory.close()];
  try {
    const partitions = await outcomePartitions({
      ...deps,
      dataDirectory,
      configured: config.ROUTER_OUTCOME_PARTITIONS,
    });
    const parts = connectParts(deps, { dataDirectory, partitions, headers });
    opened.unshift(() => closeParts(parts));
    await within(WEIGHTS_WAIT_MS, parts.follower.whenCaughtUp);
    const http = await serveHttp(config, parts);
    return { url: http.url, close: once(() => closeRouter({ ...http, parts, dataDirectory, config })) };
  } catch (error) {
    for (const close of opened) await close();
    throw error;
  }
}

type Parts = ReturnType<typeof connectParts>;

/** Makes the parts and connects them: weights in, outcomes out, the data plane between. */
function connectParts(
  deps: RouterDeps,
  found: {
    readonly dataDirectory: DataDirectory;
    readonly partitions: number;
    readonly headers: UpstreamSettings['headers'];
  },
) {
  const { config, topics, bus, sealer, clock, logger, random = Math.random } = deps;
  const { dataDirectory, partitions } = found;
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
  const upstreams = new Upstreams({ headers: found.headers, tls });
  const tally = (model: string, version: string): Tally => publisher.tally(model, version);
  const table = new RoutingTable({
    serve: (plan) => serveModel(plan, { router, upstreams, tally, metrics }),
    onUsed: (used) => upstreams.retain(used),
    onChange: (model) => evidence.cutModel(model),
    logger,
  });
  for (const state of dataDirectory.readStates()) table.apply(state);
  const follower = new StateFollower({ bus, topic: topics.state, table, dataDirectory, logger });
  health.addCheck(() =>
    table.size > 0 || follower.caughtUp ? null : 'no weights: none on disk, and Kafka was not read to the end',
  );
  const knowsModels = (): boolean => follower.caughtUp;
  const pairs = new PairPublisher({ bus, topic: topics.label, flushMs: config.ROUTER_FLUSH_MS, logger });
  const shadows = new ShadowCopies({
    inFlightMax: config.ROUTER_SHADOW_IN_FLIGHT_MAX,
    publish: (pair) => pairs.publish(pair),
  });
  const dataPlane = new DataPlane({ config, table, evidence, sealer, metrics, clock, random, knowsModels, shadows });
  metrics.measure({ table, publisher, follower, liveBuckets: () => evidence.liveBuckets, shadows, pairs });
  return { health, registry, publisher, evidence, upstreams, follower, dataPlane, shadows, pairs };
}

/** Listens. Requests for models go straight to the data plane, everything else through Nest. */
async function serveHttp(config: RouterConfig, { dataPlane, health, registry }: Parts) {
  const server = createServer();
  const serverFactory = (nest: RequestListener): Server => {
    server.on('request', (request, response) => {
      if (isDataPath(request.url!)) dataPlane.handle(request, response);
      else nest(request, response);
    });
    server.on('checkContinue', (request, response) => {
      if (isDataPath(request.url!)) return dataPlane.handleExpectContinue(request, response);
      response.writeContinue();
      nest(request, response);
    });
    return server;
  };
  server.keepAliveTimeout = CLIENT_KEEP_ALIVE_MS;
  const adapter = new FastifyAdapter({ serverFactory });
  const app = await NestFactory.create<NestFastifyApplication>(RouterModule.register({ health, registry }), adapter, {
    logger: false,
    abortOnError: false,
  });
  await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  const { port } = server.address() as AddressInfo;
  const host = config.HTTP_HOST.includes(':') ? `[${config.HTTP_HOST}]` : config.HTTP_HOST;
  return { app, server, url: `http://${host}:${port}` };
}

/** Readiness off, let load balancers turn away, stop accepting, drain, put out the last buckets, flush, disconnect. */
async function closeRouter(running: {
  readonly app: NestFastifyApplication;
  readonly server: Server;
  readonly parts: Parts;
  readonly dataDirectory: DataDirectory;
  readonly config: RouterConfig;
}): Promise<void> {
  const { app, server, parts, dataDirectory, config } = running;
  const { health, dataPlane } = parts;
  health.drain();
  dataPlane.beginDraining();
  await delay(config.ROUTER_DRAIN_DELAY_MS);
  // Connections that nobody accepted yet would be reset: right after polling there are the fewest.
  await immediate();
  // Only the listener: http's own close() would also cut connections whose first request is on its way.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  await delay(config.ROUTER_DRAIN_DELAY_MS / 5);
  server.closeIdleConnections();
  await dataPlane.drained(DRAIN_MS_MAX - config.ROUTER_DRAIN_DELAY_MS);
  server.closeIdleConnections();
  // Answers are complete now, but their last bytes may still be on the way to slow readers.
  await within(LAST_BYTES_MS_MAX, closed);
  server.closeAllConnections();
  await app.close();
  await closeParts(parts);
  await dataDirectory.close();
}

async function closeParts({ evidence, publisher, follower, upstreams, shadows, pairs }: Parts): Promise<void> {
  shadows.close();
  evidence.close();
  await Promise.all([publisher.close(FLUSH_MS_MAX), pairs.close(FLUSH_MS_MAX), follower.close(), upstreams.destroy()]);
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | null = null;
  return () => (closing ??= close());
}
