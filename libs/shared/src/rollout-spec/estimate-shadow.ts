import type { RolloutSpec, ShadowStep } from './rollout-spec.js';

/** What the mixture over bets costs before a pass, in nats. */
const MIXTURE_COST = 1.5;

/** A step's wait, as estimateDuration tells it. */
export interface ShadowWait {
  readonly durationMs: number;
  readonly waitsFor: 'evidence' | 'labels' | 'predictions' | 'minimum';
  readonly check?: string;
}

/**
 * How long a shadow step of a good canary takes: its minimum, its copies, and what errors and accuracy need. A pair's
 * evidence that a difference of mean 0 is below a limit d grows by d^2 / (2 s) at the best bet, s the share of pairs of
 * which exactly one is bad.
 */
export function estimateShadow(
  spec: RolloutSpec,
  step: ShadowStep,
  predictionsPerSecond: number,
  assumed: { readonly errorRate: number; readonly accuracy: number },
): ShadowWait | { readonly durationMs: null; readonly waitsFor: 'traffic' } {
  const copiesPerMs = (step.fraction * predictionsPerSecond) / 1000;
  if (!(copiesPerMs > 0)) return { durationMs: null, waitsFor: 'traffic' };
  const { errorRate, accuracy, shadow } = spec.checks;
  const evidence = Math.log(1 / spec.beta) + MIXTURE_COST;
  const takesMs = (limit: number, bad: number): number =>
    (evidence * 2 * (2 * bad * (1 - bad))) / limit ** 2 / copiesPerMs;
  const waits: ShadowWait[] = [
    { durationMs: step.atLeast.durationMs, waitsFor: 'minimum' },
    { durationMs: step.atLeast.predictions / copiesPerMs, waitsFor: 'predictions' },
  ];
  if (errorRate)
    waits.push({
      durationMs: takesMs(errorRate.maxIncrease, assumed.errorRate),
      waitsFor: 'evidence',
      check: 'shadow.errorRate',
    });
  if (accuracy && shadow?.maxDrop !== undefined)
    waits.push({
      durationMs: takesMs(shadow.maxDrop, (1 - assumed.accuracy) / 2) + accuracy.labelsWithinMs,
      waitsFor: 'labels',
      check: 'shadow.accuracy',
    });
  return waits.reduce((longest, wait) => (wait.durationMs > longest.durationMs ? wait : longest));
}
