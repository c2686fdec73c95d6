import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  checkTopics,
  type Clock,
  Health,
  type Logger,
  type MessageBus,
  type RunningService,
  type TopicNames,
  type WindowReader,
} from '@app/shared';
import { collectDefaultMetrics } from 'prom-client';
import { CommandDesk } from './api/command-desk.js';
import { EventStreams } from './api/event-streams.js';
import { serveOpenApi } from './api/openapi.js';
import { ProblemException, ProblemFilter, unprocessable } from './api/problem.js';
import { problemsOf } from './api/requests.js';
import { TrafficRate } from './api/traffic-rate.js';
import { type ControllerSettings, requireTokenBeyondLoopback } from './config.js';
import { ControllerModule, type ControllerParts } from './controller.module.js';
import { ControllerMetrics } from './metrics.js';
import { Ownership, type OwnershipTiming } from './ownership/ownership.js';
import { HttpReadinessProbe, type ReadinessProbe } from './ownership/readiness-probe.js';
import { ModelDirectory } from './reading/model-directory.js';
import { RolloutJournal } from './reading/rollout-journal.js';

export interface ControllerDeps {
  readonly config: ControllerSettings;
  readonly topics: TopicNames;
  readonly bus: MessageBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Windows for the API to show, and the present traffic for its estimates. Optional. */
  readonly windows?: WindowReader;
  /** Default: asks over HTTP. */
  readonly readiness?: ReadinessProbe;
  readonly timing?: Partial<OwnershipTiming>;
}

const BODY_BYTES_MAX = 2 * 1024 * 1024;
const TEXT_BODIES = ['text/yaml', 'text/x-yaml', 'application/yaml', 'application/x-yaml', 'text/plain'];

/**
 * Starts a controller: it decides about the partitions it is given, and answers for all models. The bus and the windows
 * stay the caller's. Throws CanaryError `token-required`, `missing-topic` or `wrong-topic-setting`.
 */
export async function startController(deps: ControllerDeps): Promise<RunningService> {
  const { config, topics, bus, clock, logger, windows } = deps;
  requireTokenBeyondLoopback(config);
  const { controlPartitions } = await checkTopics(bus, topics, [
    'verdict',
    'command',
    'decision',
    'state',
    'label',
    'deadLetter',
  ]);
  const metrics = new ControllerMetrics();
  collectDefaultMetrics({ register: metrics.registry, prefix: 'model_canary_controller_' });
  const health = new Health();
  const producer = bus.producer({
    onError: (error) => logger.warn({ err: error }, 'sending failed, it is tried again'),
  });
  const directory = new ModelDirectory({ bus, topics, logger, metrics });
  const journal = new RolloutJournal({ bus, topics, logger });
  const streams = new EventStreams(journal.events, metrics);
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
    desk,
    streams,
    traffic,
  };
  const app = await listen({ ...parts, windows }, logger);
  const groupId = `${config.TOPIC_PREFIX}${config.CONTROLLER_GROUP}`;
  const ownership = new Ownership({ ...deps, metrics, readiness, groupId, controlPartitions });
  directory.watchUnreadable((refused) => ownership.refuseState(refused));

  const close = async (): Promise<void> => {
    health.drain();
    await ownership.close();
    streams.close();
    await app.close();
    await Promise.all([directory.close(), journal.close(), producer.close(), readiness.close()]);
  };
  let closed: Promise<void> | null = null;
  return { url: await app.getUrl(), close: () => (closed ??= close()) };
}

async function listen(parts: ControllerParts, logger: Logger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: BODY_BYTES_MAX, forceCloseConnections: true });
  // As text: the reader of rollout files names line and column.
  adapter
    .getInstance()
    .addContentTypeParser(TEXT_BODIES, { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const app = await NestFactory.create<NestFastifyApplication>(ControllerModule.register(parts), adapter, {
    logger: false,
    abortOnError: false,
  });
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
  await app.listen(parts.settings.HTTP_PORT, parts.settings.HTTP_HOST);
  return app;
}
