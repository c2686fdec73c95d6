import type { Problem } from '../result.js';
import { estimateShadow } from './estimate-shadow.js';
import { ASSUMED_TRAFFIC, estimateStep, type TrafficKind } from './estimate-step.js';
import { estimateWarnings } from './estimate-warnings.js';
import type { RolloutSpec } from './rollout-spec.js';

export interface DurationEstimate {
  readonly predictionsPerSecond: number;
  /** All steps together, without the time a person takes; null: some step does not end at this traffic. */
  readonly totalMs: number | null;
  /** Some step waits until a person approves. */
  readonly waitsForPerson: boolean;
  readonly steps: readonly StepEstimate[];
  readonly warnings: readonly Problem[];
}

export interface StepEstimate {
  /** Index into spec.steps. */
  readonly step: number;
  /** Null: a person, or traffic that is not there. */
  readonly durationMs: number | null;
  /** What it waits for longest. */
  readonly waitsFor: 'evidence' | 'labels' | 'predictions' | 'minimum' | 'pause' | 'person' | 'traffic';
  /** The check that needs the most predictions, if evidence or labels are waited for. */
  readonly check?: string;
}

/**
 * How long a rollout of a good canary will take, step by step, at so many predictions per second of the whole model:
 * per step the larger of its minimum duration and of warm-up plus what the slowest check needs. With warnings of what
 * cannot come to a good end at this traffic, see estimateWarnings.
 */
export function estimateDuration(
  spec: RolloutSpec,
  predictionsPerSecond: number,
  traffic: TrafficKind = ASSUMED_TRAFFIC,
): DurationEstimate {
  const first = spec.steps.findIndex((step) => step.kind === 'traffic');
  const steps = spec.steps.map((step, index): StepEstimate => {
    switch (step.kind) {
      case 'traffic': {
        const wait = estimateStep({ spec, step, predictionsPerSecond, isFirst: index === first, traffic });
        return { step: index, ...(wait ?? NO_TRAFFIC) };
      }
      case 'shadow':
        return { step: index, ...estimateShadow(spec, step, predictionsPerSecond, traffic) };
      case 'pause':
        return step.durationMs === undefined
          ? { step: index, durationMs: null, waitsFor: 'person' }
          : { step: index, durationMs: step.durationMs, waitsFor: 'pause' };
    }
  });
  const counted = steps.filter((step) => step.waitsFor !== 'person');
  const unending = counted.some((step) => step.durationMs === null);
  return {
    predictionsPerSecond,
    totalMs: unending ? null : counted.reduce((sum, step) => sum + step.durationMs!, 0),
    waitsForPerson: counted.length < steps.length,
    steps,
    warnings: estimateWarnings(spec, predictionsPerSecond, traffic),
  };
}

const NO_TRAFFIC = { durationMs: null, waitsFor: 'traffic' } as const;
