import type { Context } from './spans.js';

/** Outcomes follow their answers within milliseconds, or go to the spool, where contexts are not kept. */
const KEPT_MAX = 10_000;

/** Contexts of traced predictions, from the answer that names the prediction to the record of its outcome. */
export class PredictionContexts {
  private readonly contexts = new Map<string, Context>();

  keep(predictionId: string, context: Context): void {
    if (this.contexts.size >= KEPT_MAX) this.contexts.delete(this.contexts.keys().next().value!);
    this.contexts.set(predictionId, context);
  }

  /** Null where that prediction is not traced, or was asked for already. */
  take(predictionId: string): Context | null {
    if (this.contexts.size === 0) return null;
    const context = this.contexts.get(predictionId) ?? null;
    this.contexts.delete(predictionId);
    return context;
  }
}
