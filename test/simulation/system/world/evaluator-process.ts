import { setTimeout as delay } from 'node:timers/promises';
import {
  type BusConsumer,
  checkTopics,
  type Clock,
  type Logger,
  type MessageBus,
  type PredictionIdSealer,
  type TopicNames,
} from '@app/shared';
import type { EngineFactory } from '../../../../apps/evaluator/src/domain/cut/engine-factory.js';
import { ModelOwners } from '../../../../apps/evaluator/src/model-owner/model-owners.js';
import type { OwnerMetrics } from '../../../../apps/evaluator/src/model-owner/owner-metrics.js';
import { PlanBook } from '../../../../apps/evaluator/src/model-owner/plan-book.js';
import { SlotOwner } from '../../../../apps/evaluator/src/slot-owner/slot-owner.js';
import type { SlotMetrics } from '../../../../apps/evaluator/src/slot-owner/slot-metrics.js';
import type { SlotStore } from '../../../../apps/evaluator/src/slot-store/slot-store.js';
import type { Service } from './machine.js';

export interface EvaluatorProcessParts {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly store: SlotStore;
  readonly sealer: PredictionIdSealer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engines: EngineFactory;
  readonly metrics: SlotMetrics & OwnerMetrics;
}

const TOPICS = ['outcome', 'label', 'verdict', 'decision', 'state', 'checkpoint', 'deadLetter'] as const;
const GROUP = 'evaluator';
const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });

/** An evaluator without its HTTP: the parts that start.ts puts together, in the same order. */
export class EvaluatorProcess implements Service {
  private constructor(
    private readonly plans: PlanBook,
    readonly slots: SlotOwner,
    private readonly consumer: BusConsumer,
    readonly owners: ModelOwners,
  ) {}

  static async start(parts: EvaluatorProcessParts): Promise<EvaluatorProcess> {
    const { bus, topics, store, sealer, clock, logger, metrics, engines } = parts;
    const { dataPartitions, controlPartitions } = await checkTopics(bus, topics, TOPICS);
    const plans = new PlanBook({ bus, stateTopic: topics.state, controlPartitions, logger });
    const common = { bus, topics, clock, logger, metrics };
    const slots = await SlotOwner.open({
      ...common,
      store,
      sealer,
      directory: plans.directory,
      directoryCaughtUp: () => plans.caughtUp(),
      slotCounts: dataPartitions,
      controlPartitions,
      groupId: `${GROUP}-slots`,
    });
    const consumer = bus.consumer({ ...slots.subscription, onBatch: (batch) => slots.handle(batch) });
    const ownerDeps = {
      ...common,
      slotStore: store,
      plans,
      engines,
      sealer,
      controlPartitions,
      sleep,
      slotCounts: dataPartitions,
    };
    const owners = new ModelOwners({ ...ownerDeps, transactionalIdBase: GROUP }, { groupId: `${GROUP}-models` });
    return new EvaluatorProcess(plans, slots, consumer, owners);
  }

  async close(): Promise<void> {
    await this.owners.close();
    this.slots.hurry();
    await this.consumer.close();
    await this.slots.close();
    await this.plans.close();
  }
}
