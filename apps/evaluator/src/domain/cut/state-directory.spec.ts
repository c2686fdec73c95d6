import { modelHash } from '@app/shared';
import { expect, it } from 'vitest';
import { aState } from '../../testing/builders.js';
import { StateDirectory } from './state-directory.js';

it('tells of models what their states told, newest generation first', () => {
  const directory = new StateDirectory();
  directory.add(aState('fraud', 1));
  const fraud = directory.model(modelHash('fraud'))!;
  expect(directory.model(modelHash('churn'))).toBeNull();
  expect(fraud).toMatchObject({ model: 'fraud', generation: 3, tolerance: 0 });
  expect([fraud.version(0), fraud.version(1), fraud.version(2)]).toEqual(['v1', 'v2', null]);
  expect([fraud.hasVersion('v2'), fraud.hasVersion('v9')]).toEqual([true, false]);
});

it('knows which numbers of labels custom checks want', () => {
  const directory = new StateDirectory();
  const state = aState('fraud', 2);
  const label = { from: 'label', source: 'eur', worse: 'lower', limit: 1, minEffect: 1 } as const;
  const custom = { revenue: label, margin: label, score: { ...label, from: 'answer', source: '/score' } } as const;
  const spec = { ...state.rollout!.spec, checks: { ...state.rollout!.spec.checks, custom } };
  directory.add({ ...state, rollout: { ...state.rollout!, spec } });
  expect(directory.model(modelHash('fraud'))!.counted(3)).toMatchObject({ values: ['eur'] });
});

it('counts labels in the phases of rollouts with an accuracy check, also when their rollout is past', () => {
  const directory = new StateDirectory();
  directory.add(aState('fraud', 2));
  const without = aState('fraud', 0);
  const rollout = { ...without.rollout!, phases: [{ ...without.rollout!.phases[0]!, generation: 9 }] };
  const spec = { ...rollout.spec, checks: {} };
  directory.add({ ...without, generation: 9, rollout: { ...rollout, spec } });
  const fraud = directory.model(modelHash('fraud'))!;
  expect(fraud.counted(3)).toEqual({ labelsWithinMs: 60_000, tolerance: 0 });
  expect([fraud.counted(1), fraud.counted(9)]).toEqual([null, null]);
});

it('compares pairs of answers in the phases of shadow steps, for as long as answers and labels may take', () => {
  const directory = new StateDirectory();
  const state = aState('fraud', 2);
  const { spec } = state.rollout!;
  const atLeast = { predictions: 100, durationMs: 1_000 };
  const steps = [{ kind: 'shadow', fraction: 0.5, atLeast } as const, ...spec.steps];
  const phase = { ...state.rollout!.phases[0]!, step: 0 };
  const phases = [phase, { ...phase, generation: phase.generation + 1, step: 1 }];
  directory.add({ ...state, rollout: { ...state.rollout!, phases, spec: { ...spec, steps } } });
  const fraud = directory.model(modelHash('fraud'))!;
  const slowestMs = Math.max(spec.stable.deadlineMs, spec.canary!.deadlineMs);
  expect(fraud.shadow?.(phase.generation)).toEqual({
    strataMs: 1_000,
    answersWithinMs: slowestMs + 5_000,
    labelsWithinMs: 60_000,
    tolerance: 0,
  });
  expect([fraud.shadow?.(phase.generation + 1), fraud.shadow?.(99)]).toEqual([null, null]);
});
