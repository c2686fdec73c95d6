import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  checkTopicsOnceThere,
  type Clock,
  Health,
  type Logger,
  type MessageBus,
  type RunningService,
  type TopicNames,
  type Tracing,
  type WindowReader,
} from '@app/shared';
import { allowListedMethods } from './api/allowed-methods.js';
import { authenticateRequests } from './api/auth/authentication.js';
import { Authenticator } from './api/auth/authenticator.js';
import { limitRequests } from './api/auth/request-limit.js';
import { refuseOtherSites } from './api/auth/same-site.js';
import { answerClientError } from './api/client-error.js';
import { CommandDesk } from './api/command-desk.js';
import { EventStreams } from './api/event-streams.js';
import { serveOpenApi } from './api/openapi.js';
import { ProblemException, ProblemFilter, unprocessable } from './api/problem.js';
import { problemsOf } from './api/requests.js';
import { TrafficRate } from './api/traffic-rate.js';
import { type ControllerSettings, requireTokenBeyondLoopback } from './config.js';
import { builtConsole, serveConsole } from './console/serve-console.js';
import { ControllerModule, type ControllerParts } from './controller.module.js';
import { ControllerMetrics } from './metrics.js';
import { readTargets } from './notifications/targets-file.js';
import { TargetNotifier } from './notifications/target-notifier.js';
import { Ownership, type OwnershipTiming } from './ownership/ownership.js';
import { HttpReadinessProbe, type ReadinessProbe } from './ownership/readiness-probe.js';
import { EventLog } from './reading/event-log.js';
import { MemoryPointStore } from './reading/memory-point-store.js';
import { ModelDirectory } from './reading/model-directory.js';
import type { PointStore } from './reading/point-store.js';
import { RolloutJournal } from './reading/rollout-journal.js';
import { VerdictHistory } from './reading/verdict-history.js';

export interface ControllerDeps {
  readonly config: ControllerSettings;
  readonly topics: TopicNames;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Windows for the API to show, and the present traffic for its estimates. Optional. */
  readonly windows?: WindowReader;
  /** Where the history of verdicts outlives this process. Default: in memory, as far as the topic's end goes back. */
  readonly points?: PointStore;
  /** Folder of the built console. Default: beside the compiled controller; null: none. */
  readonly console?: string | null;
  /** Default: asks over HTTP. */
  readonly readiness?: ReadinessProbe;
  readonly timing?: Partial<OwnershipTiming>;
  /** Null or absent: off. */
  readonly tracing?: Tracing | null;
}

const BODY_BYTES_MAX = 2 * 1024 * 1024;
const TEXT_BODIES = ['text/yaml', 'text/x-yaml', 'application/yaml', 'application/x-yaml', 'text/plain'];

/**
 * Starts a controller: it decides about the partitions it is given, and answers for all models. The bus and the windows
 * stay the caller's. Waits while Kafka does not answer; throws CanaryError `token-required`, what checkTopics() throws, or
 * Kafka's refusal.
 */
export async function startController(deps: ControllerDeps): Promise<RunningService> {
  const { config, topics, bus, clock, logger, windows } = deps;
  const authenticator = new Authenticator(config);
  requireTokenBeyondLoopback(config, authenticator.asksForTokens);
  const targets = readTargets(config.NOTIFICATIONS);
  const { controlPartitions } = await checkTopicsOnceThere(
    bus,
    topics,
    ['verdict', 'command', 'decision', 'state', 'label', 'deadLetter'],
    logger,
  );
  const metrics = new ControllerMetrics();
  const health = new Health();
  const producer = bus.producer();
  const events = new EventLog();
  const directory = new ModelDirectory({ bus, topics, logger, metrics, events });
  const verdictHistory = new VerdictHistory({ store: deps.points ?? new MemoryPointStore(), logger });
  const journal = new RolloutJournal({ bus, topics, logger, events, directory, verdictHistory });
  metrics.measure({
    states: () => directory.all(),
    verdictOf: (state) => journal.lastVerdict(state),
    nowMs: () => clock.nowMs(),
  });
  const streams = new EventStreams(events, metrics);
  const desk = new CommandDesk({ producer, directory, topics, clock, timeoutMs: config.COMMAND_TIMEOUT_MS });
  const traffic = new TrafficRate(windows, clock, logger);
  const readiness = deps.readiness ?? new HttpReadinessProbe();
  health.addCheck(() => directory.unready());
  const parts = {
    settings: config,
    topics,
    clock,
    metrics,
    health,
    producer,
    directory,
    journal,
    verdictHistory,
    desk,
    streams,
    traffic,
  };
  const app = await listen(
    { ...parts, windows },
    { authenticator, logger, tracing: deps.tracing ?? null, console: deps.console },
  );
  const groupId = `${config.TOPIC_PREFIX}${config.CONTROLLER_GROUP}`;
  const ownership = new Ownership({ ...deps, metrics, readiness, groupId, controlPartitions });
  directory.watchUnreadable((refused) => ownership.refuseState(refused));
  const notifiers = targets.map((target) => {
    metrics.expectNotifications(target.name);
    return new TargetNotifier(target, { ...deps, metrics, groupPrefix: groupId, random: Math.random });
  });

  const close = async (): Promise<void> => {
    health.drain();
    await Promise.all([ownership.close(), ...notifiers.map((notifier) => notifier.close())]);
    streams.close();
    await app.close();
    await Promise.all([directory.close(), journal.close(), producer.close(), readiness.close()]);
    await verdictHistory.close();
  };
  let closed: Promise<void> | null = null;
  return { url: await app.getUrl(), close: () => (closed ??= close()) };
}

async function listen(
  parts: ControllerParts,
  {
    authenticator,
    logger,
    tracing,
    console,
  }: Pick<ControllerDeps, 'logger' | 'console'> & {
    readonly authenticator: Authenticator;
    readonly tracing: Tracing | null;
  },
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    clientErrorHandler: answerClientError,
  });
  const fastify = adapter.getInstance();
  if (tracing)
    fastify.addHook('onRequest', (request, reply, done) => tracing.apiRequest(request.raw, reply.raw, () => done()));
  const methods = allowListedMethods(fastify);
  refuseOtherSites(fastify, authenticator);
  authenticateRequests(fastify, authenticator);
  // As text: the reader of rollout files names line and column.
  fastify.addContentTypeParser(TEXT_BODIES, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const app = await NestFactory.create<NestFastifyApplication>(ControllerModule.register(parts), adapter, {
    logger: false,
    abortOnError: false,
  });
  await limitRequests(app, parts.settings.REQUESTS_PER_MINUTE);
  app.useGlobalFilters(new ProblemFilter(logger));
  app.useGlobalPipes(
    new ValidationPipe({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: (errors) => new ProblemException(unprocessable(problemsOf(errors))),
    }),
  );
  serveOpenApi(app);
  await serveConsole(app, console === undefined ? builtConsole() : console);
  await app.init();
  methods.close();
  await app.listen(parts.settings.HTTP_PORT, parts.settings.HTTP_HOST);
  return app;
}
