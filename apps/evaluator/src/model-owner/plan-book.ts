import {
  type BusFollower,
  cloudEventData,
  type Logger,
  type MessageBus,
  partitionOf,
  rolloutStateCodec,
} from '@app/shared';
import { type KnownPlan, knownPlanOf, PlanHistory } from '../domain/cut/plan-history.js';
import { StateDirectory } from '../domain/cut/state-directory.js';
import type { ModelPlan } from '../domain/plan.js';
import type { GenerationDirectory } from '../domain/slot/generation-directory.js';

/** Whose model it is: a partition of evaluator-checkpoint. */
export type RolloutListener = (owner: number) => void;

export interface PlanBookDeps {
  readonly bus: MessageBus;
  readonly stateTopic: string;
  /** Partitions of the control topics: they say whose a model is. */
  readonly controlPartitions: number;
  readonly logger: Logger;
}

/** Plans of all models, followed from rollout-state; one book for all owners of a process. */
export class PlanBook {
  private readonly history = new PlanHistory();
  private readonly states = new StateDirectory();
  private readonly modelsByOwner = new Map<number, Set<string>>();
  private readonly rolloutListeners = new Set<RolloutListener>();
  private readonly follower: BusFollower;

  constructor(private readonly deps: PlanBookDeps) {
    const { bus, stateTopic, logger } = deps;
    this.follower = bus.follower({
      topics: [stateTopic],
      readCommitted: true,
      onBatch: ({ partition, records }) => {
        for (const record of records) {
          const data = cloudEventData(record.value, record.headers ?? {});
          if (data) this.read(data, { partition, offset: record.offset });
        }
      },
      onError: (error) => logger.warn({ err: error }, 'reading rollout-state: again'),
    });
  }

  /** Resolves when everything that is in rollout-state now has been read. */
  caughtUp(): Promise<void> {
    return this.follower.caughtUp();
  }

  /** What label partitions must know of generations. */
  get directory(): GenerationDirectory {
    return this.states;
  }

  /** False while the broker is away. */
  isCurrent(): boolean {
    return this.follower.isCurrent();
  }

  newest(model: string): KnownPlan | undefined {
    return this.history.newest(model);
  }

  /** The plan of exactly this decision sequence; null if its state is gone. */
  exactAt(model: string, sequence: number): ModelPlan | null {
    return this.history.exactAt(model, sequence);
  }

  /** The plan as it was known at a decision sequence; null for a model without a state. */
  at(model: string, sequence: number): ModelPlan | null {
    return this.history.at(model, sequence);
  }

  /** Models whose key falls in this partition of evaluator-checkpoint. */
  modelsOf(owner: number): ReadonlySet<string> {
    return this.modelsByOwner.get(owner) ?? NO_MODELS;
  }

  /** Whether a model has a rollout going on that was not known yet at a decision sequence. */
  hasNewRollout(model: string, sequence: number): boolean {
    const newest = this.newest(model);
    return newest !== undefined && newest.sequence > sequence && isGoingOn(newest);
  }

  /** From now on told of every state with a rollout that is going on. */
  addRolloutListener(listener: RolloutListener): void {
    this.rolloutListeners.add(listener);
  }

  removeRolloutListener(listener: RolloutListener): void {
    this.rolloutListeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.follower.close();
  }

  private read(data: Buffer, at: { readonly partition: number; readonly offset: number }): void {
    const state = rolloutStateCodec.decode(data);
    if (!state.ok) {
      // The controller is its only writer, reads it too, and reports it; a model's last good state stays in force.
      this.deps.logger.warn({ ...at, problems: state.problems }, 'a state that cannot be read: skipped');
      return;
    }
    const known = knownPlanOf(state.value);
    this.history.add(known);
    this.states.add(state.value);
    const owner = partitionOf(known.plan.model, this.deps.controlPartitions);
    const models = this.modelsByOwner.get(owner) ?? new Set();
    this.modelsByOwner.set(owner, models.add(known.plan.model));
    if (isGoingOn(known)) for (const listener of this.rolloutListeners) listener(owner);
  }
}

const NO_MODELS: ReadonlySet<string> = new Set();
const isGoingOn = ({ plan: { rollout } }: KnownPlan): boolean => rollout !== null && !rollout.ended;
