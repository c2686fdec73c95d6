import type { CheckResult, VerdictResult } from '@app/shared';
import type { ModelPlan } from './plan.js';
import type { Summary } from './summary.js';

/** From one cut to the next: where a FAIL may be near, where a rollout is open, and where there is none. */
export const CUT_INTERVAL_MS = { urgent: 50, open: 250, idle: 1_000 } as const;

/**
 * The verdict engine of one model, as the owner of the model drives it: a pure function of the sequence of calls.
 *
 *   cut k:  setPlan*  beginCut  fold*  endCut -> judgement | null
 *
 * The same calls give the same bytes from encode() and judgement. No clock, no randomness, no I/O.
 */
export interface ModelEngine {
  /** A newly read state of the model. Called between cuts only. */
  setPlan(plan: ModelPlan): void;
  /** Freezes what must be known before the bucket is folded (the lines o_b, thresholds). */
  beginCut(cut: CutContext): void;
  /** Folds one summary at its place in the order (partition, offset). */
  fold(summary: Summary): void;
  /**
   * Closes strata that every label partition has passed, and judges. Null when the model has no open rollout, or
   * nothing has changed since the last judgement (evidence, plan, or a reason such as a duration going by).
   */
  endCut(): Judgement | null;
  /** The whole state, for the checkpoint. */
  encode(): Buffer;
  /** Whether a FAIL may be near, so that the next cut should come sooner. */
  urgent(): boolean;
}

export interface CutContext {
  readonly number: number;
  /** Log time by outcome partition; -1 for a partition without records. */
  readonly outcomeLogTimesMs: readonly number[];
  /** Log time by label partition. */
  readonly labelLogTimesMs: readonly number[];
  /** Newest of all of them: the verdict's asOf. */
  readonly asOfMs: number;
}

/** A verdict without its envelope (ids, cut positions). */
export interface Judgement {
  readonly rollout: string;
  readonly step: number;
  readonly generation: number;
  readonly result: VerdictResult;
  readonly reason: { readonly code: string; readonly text: string };
  readonly checks: readonly CheckResult[];
  readonly evidence: { readonly lnE: number; readonly lnLimit: number };
  readonly counted: { readonly stable: number; readonly canary: number };
  readonly forecast: { readonly predictionsToGo: number | null; readonly minutesToGo: number | null };
  /** Only in the first judgement of a rollout. */
  readonly baseline?: unknown;
}

/** Bumped when the same records would give other numbers. A checkpoint of another version is not read. */
export const ENGINE_VERSION = '1';
