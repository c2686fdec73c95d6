import type { CheckResult, Decision, RolloutSpec, RolloutState, Verdict } from '@app/shared';
import type { ConsoleView, Fleet, RolloutList, RolloutView, VerdictSeriesView } from './schemas.js';

/** The rollout that all examples are about. */
export interface ExampleRollout {
  readonly state: RolloutState;
  readonly spec: RolloutSpec;
  readonly verdict: Verdict;
  readonly check: CheckResult;
  readonly started: Decision;
}

/** Of the schemas in reading-schemas.ts. */
export function readingExamples({ state, spec, verdict, check, started }: ExampleRollout) {
  const progress = state.rollout!;
  const { rollout, status, stable, canary, step, startedAt, stepStartedAt } = progress;
  const line = { rollout, status, stable, canary, step, startedAt, endedAt: null };
  const [low, high] = check.interval!;
  return {
    Fleet: {
      models: [
        {
          model: state.model,
          stable,
          canary,
          weights: state.weights,
          shadow: null,
          rollout: { ...line, steps: spec.steps.length, stepStartedAt, held: null, pause: null },
          verdict: {
            result: verdict.result,
            reason: verdict.reason,
            asOf: verdict.asOf,
            counted: verdict.counted,
            forecast: verdict.forecast,
            worst: check,
          },
          last: {
            sequence: started.sequence,
            action: started.action,
            at: started.at,
            actor: started.actor,
            reason: started.reason,
          },
        },
      ],
    } satisfies Fleet,
    RolloutList: {
      model: state.model,
      rollouts: [{ ...line, reason: started.reason.text }],
    } satisfies RolloutList,
    RolloutRecord: { ...line, spec, decisions: [started] } satisfies RolloutView,
    VerdictSeries: {
      model: state.model,
      rollout,
      at: [verdict.asOf],
      step: [step],
      result: [verdict.result],
      code: [verdict.reason.code],
      lnE: [verdict.evidence.lnE],
      lnLimit: [verdict.evidence.lnLimit],
      stable: [verdict.counted.stable],
      canary: [verdict.counted.canary],
      checks: [
        {
          check: check.check,
          segment: null,
          unit: check.unit,
          gating: check.gating,
          result: [check.result],
          limit: [check.limit],
          n: [check.canary.n],
          stable: [check.stable!.value],
          canary: [check.canary.value],
          difference: [check.difference],
          low: [low],
          high: [high],
          fail: [check.evidence.fail],
          pass: [check.evidence.pass],
        },
      ],
    } satisfies VerdictSeriesView,
    Console: { readOnly: false, nowMs: verdict.asOf } satisfies ConsoleView,
  };
}
