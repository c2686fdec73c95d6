import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  BatchStrategy,
  checkTopicsOnceThere,
  type Clock,
  Health,
  type Logger,
  type MessageBus,
  type PredictionIdSealer,
  type RunningService,
  type TopicNames,
  type TopicRole,
} from '@app/shared';
import type { EvaluatorSettings } from './config.js';
import { type EngineFactory, verdictEngines } from './domain/cut/engine-factory.js';
import { EvaluatorModule, type EvaluatorParts } from './evaluator.module.js';
import { EvaluatorMetrics } from './metrics.js';
import { ModelOwners } from './model-owner/model-owners.js';
import { PlanBook } from './model-owner/plan-book.js';
import { SlotOwner } from './slot-owner/slot-owner.js';
import type { SlotStore } from './slot-store/slot-store.js';
import { StoreProbe } from './store-probe.js';

export interface EvaluatorDeps {
  readonly config: EvaluatorSettings;
  readonly topics: TopicNames;
  readonly bus: MessageBus;
  readonly slotStore: SlotStore;
  /** Opens the prediction ids of labels. */
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the verdict engine. */
  readonly engines?: EngineFactory;
}

/** Topics that the evaluator reads or writes. */
export const EVALUATOR_TOPICS: readonly TopicRole[] = [
  'outcome',
  'label',
  'verdict',
  'decision',
  'state',
  'checkpoint',
  'deadLetter',
];

/**
 * Starts an evaluator: it owns the slots of some partitions of outcomes and labels, and the models of some partitions of
 * evaluator-checkpoint. The bus and the store stay the caller's. Throws CanaryError `missing-topic` or
 * `wrong-topic-setting`.
 */
export async function startEvaluator(deps: EvaluatorDeps): Promise<RunningService> {
  const { config, topics, bus, slotStore, sealer, clock, logger, engines = verdictEngines } = deps;
  const { dataPartitions, controlPartitions } = await checkTopicsOnceThere(bus, topics, EVALUATOR_TOPICS, logger);
  const groupId = `${config.TOPIC_PREFIX}${config.EVALUATOR_GROUP}`;
  const metrics = new EvaluatorMetrics(() => clock.nowMs());
  const health = new Health();
  // Closed in the opposite order: no more cuts, then no more batches, then what both use.
  await using opened = new AsyncDisposableStack();
  const probe = new StoreProbe(slotStore);
  opened.defer(() => probe.close());
  const plans = new PlanBook({ bus, stateTopic: topics.state, controlPartitions, logger });
  opened.defer(() => plans.close());
  const common = { bus, topics, clock, logger, metrics };
  const slots = await SlotOwner.open({
    ...common,
    store: slotStore,
    sealer,
    directory: plans.directory,
    directoryCaughtUp: () => plans.caughtUp(),
    slotCounts: dataPartitions,
    controlPartitions,
    groupId: `${groupId}-slots`,
  });
  opened.defer(() => slots.close());
  const app = await createApp({ health, metrics, slots });
  opened.defer(() => app.close());
  opened.defer(() => slots.hurry());
  const intake = new BatchStrategy({
    bus,
    subscriptions: [slots.subscription],
    patternOf: (topic) => (topic === topics.outcome ? 'outcome' : 'label'),
  });
  app.connectMicroservice({ strategy: intake }, { inheritAppConfig: false });
  await app.startAllMicroservices();
  const ownerDeps = {
    ...common,
    slotStore,
    plans,
    engines,
    sealer,
    controlPartitions,
    sleep,
    slotCounts: dataPartitions,
  };
  const owners = new ModelOwners({ ...ownerDeps, transactionalIdBase: groupId }, { groupId: `${groupId}-models` });
  opened.defer(() => owners.close());
  health.addCheck(probe.check);
  health.addCheck(() => (plans.isCurrent() ? null : 'rollout-state cannot be read'));
  health.addCheck(() => (isAssigned(intake) ? null : 'no partitions of outcomes and labels are assigned yet'));
  health.addCheck(() => (owners.hasAssignment() ? null : 'no partitions of models are assigned yet'));
  await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  const url = await app.getUrl();
  opened.defer(() => health.drain());
  const everything = opened.move();
  let closed: Promise<void> | null = null;
  return { url, close: () => (closed ??= everything.disposeAsync()) };
}

const createApp = (parts: EvaluatorParts): Promise<NestFastifyApplication> =>
  NestFactory.create<NestFastifyApplication>(
    EvaluatorModule.register(parts),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );

const isAssigned = (intake: BatchStrategy): boolean =>
  intake.unwrap().every((consumer) => consumer.assignment() !== null);

const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });
