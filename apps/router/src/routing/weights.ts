import type { Logger, RolloutState } from '@app/shared/core';
import { isNewer, planRouting } from '../domain/routing-plan.js';
import type { DataDirectory } from './data-directory.js';

/** Told all weights there are, and then each that changes. */
export interface WeightsListener {
  onState(state: RolloutState): void;
  onRemoved(model: string): void;
}

export interface WeightsStatus {
  /** Everything that was in the topic at the start was read. */
  readonly caughtUp: boolean;
  /** The topic is being followed; otherwise the last known weights are served. */
  readonly current: boolean;
  /** Records that could not be read. */
  readonly rejected: number;
}

/** Where a router has its weights from. */
export interface WeightsSource {
  subscribe(listener: WeightsListener): void;
  status(): WeightsStatus;
}

/**
 * The newest weights of each model, from the disk and then from Kafka; what comes from there is kept on disk. A generation
 * never goes backwards, wherever a state comes from, and one that cannot be served changes nothing.
 */
export class Weights {
  private readonly states = new Map<string, RolloutState>();
  private readonly listeners: WeightsListener[] = [];

  constructor(
    private readonly dataDirectory: DataDirectory,
    private readonly logger: Logger,
  ) {
    for (const state of dataDirectory.readStates()) this.take(state);
  }

  get size(): number {
    return this.states.size;
  }

  subscribe(listener: WeightsListener): void {
    this.listeners.push(listener);
    for (const state of this.states.values()) listener.onState(state);
  }

  apply(state: RolloutState): void {
    if (this.take(state)) this.dataDirectory.keepState(state);
  }

  /** The model is no longer served. */
  remove(model: string): void {
    this.dataDirectory.forgetState(model);
    if (!this.states.delete(model)) return;
    for (const listener of this.listeners) listener.onRemoved(model);
    this.logger.info({ model }, 'model removed');
  }

  /** Takes a state if it can be served and is newer than the one in use; says whether. */
  private take(state: RolloutState): boolean {
    const { model, generation, sequence, weights } = state;
    const plan = planRouting(state);
    if (typeof plan === 'string') {
      this.logger.error({ model, generation, reason: plan }, 'a state cannot be served: the one before it stays');
      return false;
    }
    const current = this.states.get(model);
    if (!isNewer(state, current)) {
      if (current && generation < current.generation)
        this.logger.warn({ model, generation, current: current.generation }, 'an older generation came: ignored');
      return false;
    }
    this.states.set(model, state);
    for (const listener of this.listeners) listener.onState(state);
    this.logger.info({ model, generation, sequence, weights }, 'weights');
    return true;
  }
}
