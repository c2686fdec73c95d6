import type { RolloutSpec } from '@app/shared';

/** The spec as the simulated routers know it, and what of the file is not rehearsed. */
export interface RehearsedSpec {
  readonly spec: RolloutSpec;
  readonly notes: readonly string[];
}

/** What the simulated traffic has data for. */
const REHEARSED_CHECKS = ['errorRate', 'accuracy', 'latency'] as const;

/** The simulated model is `m`, its versions are v1 and v2. Steps keep their places. */
export function rehearsedSpec(spec: RolloutSpec): RehearsedSpec {
  const { stable, canary } = spec;
  if (!canary) throw new Error('a registration has no rollout to rehearse');
  const { errorRate, accuracy, latency } = spec.checks;
  const left = Object.keys(spec.checks).filter((check) => !REHEARSED_CHECKS.some((rehearsed) => rehearsed === check));
  const notes: string[] = [];
  if (spec.steps.some((step) => step.kind === 'pause' && step.durationMs === undefined))
    notes.push('pauses that wait for a person are taken as approved at once');
  if (spec.steps.some((step) => step.kind === 'shadow')) notes.push('shadow steps are taken as passed at once');
  const parts = [...left.map((check) => `checks.${check}`), ...(spec.segments ? ['segments'] : [])];
  if (parts.length > 0) notes.push(`not rehearsed: ${parts.join(', ')}`);
  return {
    notes,
    spec: {
      ...spec,
      segments: undefined,
      model: 'm',
      stable: { ...stable, version: 'v1' },
      canary: { ...canary, version: 'v2' },
      steps: spec.steps.map((step) =>
        step.kind === 'traffic'
          ? { ...step, weights: { v1: step.weights[stable.version] ?? 0, v2: step.weights[canary.version] ?? 0 } }
          : step,
      ),
      checks: {
        ...(errorRate ? { errorRate } : {}),
        ...(accuracy ? { accuracy } : {}),
        ...(latency ? { latency } : {}),
      },
    },
  };
}
