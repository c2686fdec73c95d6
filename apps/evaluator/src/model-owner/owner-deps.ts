import type { Clock, Logger, MessageBus, PredictionIdSealer, TopicNames } from '@app/shared';
import type { EngineFactory } from '../domain/cut/engine-factory.js';
import type { SlotCounts } from '../domain/cut/slot-view.js';
import type { SlotId, SlotStore } from '../slot-store/slot-store.js';
import type { OwnerMetrics } from './owner-metrics.js';
import type { PlanBook } from './plan-book.js';

/** What the owners of models work with. */
export interface OwnerDeps {
  readonly bus: MessageBus;
  readonly topics: TopicNames;
  readonly slotStore: SlotStore;
  readonly slotCounts: SlotCounts;
  /** Partitions of evaluator-checkpoint. */
  readonly controlPartitions: number;
  /** Opens the prediction ids of labels, when they have to be read again. */
  readonly sealer: PredictionIdSealer;
  readonly engines: EngineFactory;
  readonly plans: PlanBook;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly logger: Logger;
  readonly metrics: OwnerMetrics;
  /** The transactional ids are `<base>-<partition>`: two installations on one cluster must not fence each other. */
  readonly transactionalIdBase: string;
}

/** Waits; rejects with the signal's reason when it is aborted. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** The slots in the order of folding. */
export function slotsInOrder(counts: SlotCounts): readonly SlotId[] {
  const ids = (kind: SlotId['kind'], n: number): SlotId[] =>
    Array.from({ length: n }, (_, partition) => ({ kind, partition }));
  return [...ids('outcome', counts.outcome), ...ids('label', counts.label)];
}
