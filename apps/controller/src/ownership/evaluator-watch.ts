import type { Clock, RolloutState, Verdict } from '@app/shared';
import { isTooOld } from '../domain/rollout/on-verdict.js';

/**
 * For how long the evaluator has said nothing about a model, by a clock that does not jump. A fresh verdict of the
 * present generation is a sign of life. So is a fresh cut once the generation has been judged: without traffic there is
 * nothing new to say, and the evaluator is not silent. Before the first look it listens for as long as it exists.
 */
export class EvaluatorWatch {
  private readonly sinceMonotonicMs: number;
  private readonly sinceMs: number;
  private cutHeardMs = -Infinity;
  private readonly verdicts = new Map<string, { readonly generation: number; readonly heardMs: number }>();

  constructor(private readonly clock: Clock) {
    this.sinceMonotonicMs = clock.monotonicMs();
    this.sinceMs = clock.nowMs();
  }

  hearVerdict(state: RolloutState, verdict: Verdict): void {
    const { generation, rollout } = state;
    if (verdict.rollout !== rollout?.rollout || verdict.generation !== generation) return;
    if (isTooOld(verdict, this.clock.nowMs())) return;
    this.verdicts.set(state.model, { generation, heardMs: this.clock.monotonicMs() });
  }

  hearCut(cut: { readonly asOf: number }): void {
    if (!isTooOld(cut, this.clock.nowMs())) this.cutHeardMs = this.clock.monotonicMs();
  }

  silentForMs(state: RolloutState): number {
    const verdict = this.verdicts.get(state.model);
    const judged = verdict?.generation === state.generation || this.judgedBefore(state);
    const heardMs = Math.max(
      this.sinceMonotonicMs,
      verdict?.generation === state.generation ? verdict.heardMs : -Infinity,
      judged ? this.cutHeardMs : -Infinity,
    );
    return this.clock.monotonicMs() - heardMs;
  }

  /** Whoever decided before listened to its first verdict. */
  private judgedBefore(state: RolloutState): boolean {
    const phase = state.rollout?.phases.at(-1);
    return phase !== undefined && phase.startedAt < this.sinceMs;
  }
}
