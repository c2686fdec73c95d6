import type { CheckResult, RolloutSpec } from '@app/shared';
import type { Judgement } from '../domain/engine.js';

/** One step of one rehearsed rollout. */
export interface StepRecord {
  readonly step: number;
  /** From the step before to the pass, or to the end of the rollout, ms. */
  readonly durationMs: number;
  readonly passed: boolean;
  /** The check that passed last, or that had longest to go when it ended; null: none was waited for, as in the bake. */
  readonly lastCheck: string | null;
  /** What the pass waited for in the end: a check, or the code of a reason. */
  readonly waitedFor: string | null;
}

/** Follows the judgements of one rollout and keeps what each step waited for. */
export class StepWatch {
  private readonly finished: StepRecord[] = [];
  private step = -1;
  private fromMs = 0;
  private passedSinceMs = new Map<string, number>();
  private missing: string | null = null;
  private waitedFor: string | null = null;

  /** `spec` as rehearsed: its versions are v1 and v2. */
  constructor(private readonly spec: RolloutSpec) {}

  hear({ step, result, reason, checks }: Judgement, atMs: number): void {
    // Between the pass and the new weights, and while the plan pauses, nothing is waited for.
    if (step <= this.lastPassed() || reason.code === 'paused-by-plan') return;
    if (step !== this.step) this.enter(step);
    if (result === 'fail') {
      this.missing = null;
      this.waitedFor = null;
      return;
    }
    const gating = this.compares(step) ? checks.filter((check) => check.gating) : [];
    for (const { check, result: of } of gating)
      if (of !== 'pass') this.passedSinceMs.delete(check);
      else if (!this.passedSinceMs.has(check)) this.passedSinceMs.set(check, atMs);
    // The one that has longest to go comes first.
    const waiting = gating.find((check) => check.result !== 'pass');
    this.missing = waiting?.check ?? null;
    if (result === 'pass') return this.close(atMs, true);
    if (reason.code !== 'step-time-over') this.waitedFor = waitText(reason.code, waiting);
  }

  /** The steps so far; one that has not passed ends here. */
  end(atMs: number): readonly StepRecord[] {
    if (this.step >= 0) this.close(atMs, false);
    return this.finished;
  }

  /** The bake has nothing to compare with. */
  private compares(step: number): boolean {
    const planned = this.spec.steps[step];
    return planned?.kind === 'traffic' && planned.weights['v1'] !== 0;
  }

  private enter(step: number): void {
    this.step = step;
    this.passedSinceMs = new Map();
    this.missing = null;
    this.waitedFor = null;
  }

  private close(atMs: number, passed: boolean): void {
    const last = [...this.passedSinceMs].reduce<[string, number] | null>(
      (latest, entry) => (!latest || entry[1] > latest[1] ? entry : latest),
      null,
    );
    this.finished.push({
      step: this.step,
      durationMs: atMs - this.fromMs,
      passed,
      lastCheck: this.missing ?? (passed ? (last?.[0] ?? null) : null),
      waitedFor: this.waitedFor,
    });
    this.fromMs = atMs;
    this.step = -1;
  }

  private lastPassed(): number {
    return this.finished.at(-1)?.step ?? -1;
  }
}

function waitText(code: string, waiting: CheckResult | undefined): string {
  const forEvidence = code === 'evidence-growing' || code === 'labels-maturing';
  return forEvidence && waiting ? waiting.check : code;
}
