import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  checkTopics,
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
  const { config, topics, bus, slotStore, clock, logger } = deps;
  const { dataPartitions, controlPartitions } = await checkTopics(bus, topics, EVALUATOR_TOPICS);
  const groupId = `${config.TOPIC_PREFIX}${config.EVALUATOR_GROUP}`;
  const metrics = new EvaluatorMetrics(() => clock.nowMs());
  const health = new Health();
  const app = await listen({ health, metrics }, config);

  const probe = new StoreProbe(slotStore);
  const plans = new PlanBook({ bus, stateTopic: topics.state, controlPartitions, logger });
  const ownerDeps = { bus, topics, slotStore, plans, clock, logger, metrics, sleep };
  const owners = new ModelOwners(
    {
      ...ownerDeps,
      slotCounts: dataPartitions,
      engines: deps.engines ?? verdictEngines,
      transactionalIdBase: groupId,
    },
    { groupId: `${groupId}-models` },
  );
  health.addCheck(probe.check);
  health.addCheck(() => (plans.isCurrent() ? null : 'rollout-state cannot be read'));
  health.addCheck(() => (owners.hasAssignment() ? null : 'no partitions of models are assigned yet'));

  const close = async (): Promise<void> => {
    health.drain();
    await owners.close();
    await Promise.all([plans.close(), probe.close()]);
    await app.close();
  };
  let closed: Promise<void> | null = null;
  return { url: await app.getUrl(), close: () => (closed ??= close()) };
}

async function listen(parts: EvaluatorParts, config: EvaluatorSettings): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    EvaluatorModule.register(parts),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: false, abortOnError: false },
  );
  await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  return app;
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });
