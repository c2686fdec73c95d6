import type { Logger, RolloutState } from '@app/shared';
import { type RoutingPlan, isNewer, planRouting } from '../domain/routing-plan.js';
import type { ServedModel } from './served-model.js';
import type { Upstream } from './upstream.js';

export interface RoutingTableOptions {
  readonly serve: (plan: RoutingPlan) => ServedModel;
  /** Called after each change with the model servers still in use. */
  readonly onUsed: (upstreams: ReadonlySet<Upstream>) => void;
  /** Called before a model's routing changes, or ends. */
  readonly onChange: (model: string) => void;
  readonly logger: Logger;
}

/** Which model is served how, now. A generation never goes backwards, wherever a state comes from. */
export class RoutingTable {
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

  /** Takes a state if it is newer than the one in use; says whether. */
  apply(state: RolloutState): boolean {
    const { logger, serve, onChange } = this.options;
    const plan = planRouting(state);
    const context = { model: state.model, generation: state.generation };
    if (typeof plan === 'string') {
      logger.error({ ...context, reason: plan }, 'a state cannot be served: the one before it stays');
      return false;
    }
    const current = this.models.get(plan.model)?.plan;
    if (!isNewer(plan, current)) {
      if (current && plan.generation < current.generation)
        logger.warn({ ...context, current: current.generation }, 'an older generation came: ignored');
      return false;
    }
    if (current?.generation !== plan.generation) onChange(plan.model);
    this.models.set(plan.model, serve(plan));
    this.reportUsed();
    logger.info({ ...context, sequence: plan.sequence, weights: state.weights }, 'weights');
    return true;
  }

  /** The model is no longer served. */
  remove(model: string): void {
    if (!this.models.has(model)) return;
    this.options.onChange(model);
    this.models.delete(model);
    this.reportUsed();
    this.options.logger.info({ model }, 'model removed');
  }

  private reportUsed(): void {
    const used = new Set<Upstream>();
    for (const model of this.models.values()) for (const v of model.versions.values()) used.add(v.upstream);
    this.options.onUsed(used);
  }
}
