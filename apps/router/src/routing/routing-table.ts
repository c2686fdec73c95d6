import { CanaryError, type RolloutState } from '@app/shared/core';
import { type RoutingPlan, planRouting } from '../domain/routing-plan.js';
import type { ServedModel } from './served-model.js';
import type { Upstream } from './upstream.js';
import type { WeightsListener } from './weights.js';

export interface RoutingTableOptions {
  readonly serve: (plan: RoutingPlan) => ServedModel;
  /** Called after each change with the model servers still in use. */
  readonly onUsed: (upstreams: ReadonlySet<Upstream>) => void;
  /** Called before a model's routing changes, or ends. */
  readonly onChange: (model: string) => void;
}

/** Which model is served how, now. Whoever tells it has seen to it that a generation never goes backwards. */
export class RoutingTable implements WeightsListener {
  private readonly models = new Map<string, ServedModel>();

  constructor(private readonly options: RoutingTableOptions) {}

  find(model: string): ServedModel | undefined {
    return this.models.get(model);
  }

  get size(): number {
    return this.models.size;
  }

  all(): IterableIterator<ServedModel> {
    return this.models.values();
  }

  onState(state: RolloutState): void {
    const { serve, onChange } = this.options;
    const plan = planRouting(state);
    if (typeof plan === 'string') throw new CanaryError('unservable-state', plan);
    if (this.models.get(plan.model)?.plan.generation !== plan.generation) onChange(plan.model);
    this.models.set(plan.model, serve(plan));
    this.reportUsed();
  }

  onRemoved(model: string): void {
    this.options.onChange(model);
    this.models.delete(model);
    this.reportUsed();
  }

  private reportUsed(): void {
    const used = new Set<Upstream>();
    for (const model of this.models.values()) for (const v of model.versions.values()) used.add(v.upstream);
    this.options.onUsed(used);
  }
}
