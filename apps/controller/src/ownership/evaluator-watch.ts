import type { Clock, RolloutState, Verdict } from '@app/shared';
import { isTooOld } from '../domain/rollout/on-verdict.js';

/**
 * For how long the evaluator has said nothing about a model, by a clock that does not jump. Only a fresh verdict of the
 * present generation counts; the evaluator gives one every few seconds, whatever the traffic. Silence begins at the
 * earliest when this watch does: a controller's own absence is nobody's silence.
 */
export class EvaluatorWatch {
  private readonly sinceMs: number;
  private readonly heard = new Map<string, { readonly generation: number; readonly atMs: number }>();

  constructor(private readonly clock: Clock) {
    this.sinceMs = clock.monotonicMs();
  }

  hear(state: RolloutState, verdict: Verdict): void {
    const { generation, rollout } = state;
    if (verdict.rollout !== rollout?.rollout || verdict.generation !== generation) return;
    if (isTooOld(verdict, this.clock.nowMs())) return;
    this.heard.set(state.model, { generation, atMs: this.clock.monotonicMs() });
  }

  silentForMs({ model, generation }: RolloutState): number {
    const last = this.heard.get(model);
    return this.clock.monotonicMs() - (last?.generation === generation ? last.atMs : this.sinceMs);
  }
}
