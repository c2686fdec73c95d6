import type { Decision, DecisionAction, RolloutState } from '@app/shared';
import { modelHash } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { aSpec, aState } from '../../testing/builders.js';
import { otherSpecProblem } from './other-spec.js';
import { plansTold } from './plans-told.js';

const MODEL = 'fraud';
const SPEC = aSpec(MODEL);
const VERSIONS = {
  v1: { index: 0, url: 'http://a', deadlineMs: 1, maxConcurrency: 1 },
  v2: { index: 1, url: 'http://b', deadlineMs: 1, maxConcurrency: 1 },
};

function decision(sequence: number, action: DecisionAction, change: Partial<Decision> = {}): Decision {
  return {
    schemaVersion: 1,
    decisionId: `${MODEL}/${sequence}`,
    sequence,
    model: MODEL,
    rollout: 'fraud-1',
    action,
    from: {},
    to: { v1: 0.9, v2: 0.1 },
    generation: 2,
    step: 0,
    reason: { code: 'test', text: 'test' },
    cause: { kind: 'timer', timer: 'tick' },
    actor: 'system',
    at: sequence * 1_000,
    safeToRemove: [],
    ...change,
  };
}

const registered = decision(1, 'registered', {
  rollout: undefined,
  spec: { ...SPEC, canary: undefined, steps: [] },
  versions: VERSIONS,
  generation: 1,
  to: { v1: 1 },
});
const HISTORY: readonly Decision[] = [
  registered,
  decision(2, 'held'),
  decision(3, 'started', { spec: SPEC, versions: VERSIONS }),
  decision(4, 'paused'),
  decision(5, 'resumed'),
  decision(6, 'weight-changed', { generation: 3, step: 1, to: { v1: 0.5, v2: 0.5 } }),
  decision(7, 'weight-changed', { generation: 4, step: 2, to: { v1: 0, v2: 1 } }),
  decision(8, 'promoted', { generation: 5, step: 2, to: { v1: 0, v2: 1 } }),
  decision(9, 'undone', { generation: 6, step: 2, to: { v1: 1, v2: 0 } }),
];

describe('the plans of a model', () => {
  it('are told by its decisions alone', () => {
    const { plans, history } = plansTold(HISTORY, []);
    expect(plans.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const at = (sequence: number) => history.at(MODEL, sequence)!;
    expect(at(1)).toEqual({ model: MODEL, stable: 'v1', generation: 1, rollout: null });
    expect(at(2).rollout).toBeNull();
    const first = { sequence: 3, generation: 2, step: 0, weights: { v1: 0.9, v2: 0.1 }, bake: false, startedAt: 3_000 };
    expect(at(3)).toEqual({
      model: MODEL,
      stable: 'v1',
      generation: 2,
      rollout: {
        model: MODEL,
        rollout: 'fraud-1',
        spec: SPEC,
        stable: 'v1',
        canary: 'v2',
        phases: [first],
        step: 0,
        ended: false,
      },
    });
    expect(at(5).rollout).toMatchObject({ step: 0, resumedAt: 5_000 });
    expect(at(6).rollout).toMatchObject({ step: 1, phases: [first, { sequence: 6, generation: 3, bake: false }] });
    expect(at(6).rollout).not.toHaveProperty('resumedAt');
    expect(at(7).rollout!.phases.at(-1)).toMatchObject({ step: 2, generation: 4, bake: true });
    expect(at(8)).toEqual({ model: MODEL, stable: 'v2', generation: 5, rollout: null });
    expect(at(9)).toEqual({ model: MODEL, stable: 'v1', generation: 6, rollout: null });
  });

  it('are filled in by states where decisions are gone, and told from later ones in between', () => {
    const states: RolloutState[] = [aState(MODEL, 1)];
    const { plans, history } = plansTold([], states);
    expect(plans).toHaveLength(1);
    expect(history.at(MODEL, 4)!.rollout).toMatchObject({ step: 1 });
    expect(history.at(MODEL, 3)!.rollout).toMatchObject({ step: 0, phases: [{ generation: 2 }] });
    expect(plansTold([decision(7, 'weight-changed')], states).plans).toHaveLength(1);
  });

  it('tell which generations have labels that count, and by which file', () => {
    const { directory } = plansTold(HISTORY, []);
    const entry = directory.model(modelHash(MODEL))!;
    expect([2, 3, 4].map((generation) => entry.counted(generation))).toEqual(
      Array(3).fill(expect.objectContaining({ labelsWithinMs: 60_000 })),
    );
    expect(entry.counted(1)).toBeNull();
    expect([entry.version(0), entry.version(1), entry.version(2)]).toEqual(['v1', 'v2', null]);
    const other = plansTold(HISTORY, [aState(MODEL, 0)], (rollout, spec) =>
      rollout === 'fraud-1' ? aSpec(MODEL, 5_000) : spec,
    );
    expect(other.directory.model(modelHash(MODEL))!.counted(2)).toMatchObject({ labelsWithinMs: 5_000 });
    expect(other.history.at(MODEL, 6)!.rollout!.spec.checks.accuracy!.labelsWithinMs).toBe(5_000);
  });
});

describe('another rollout file', () => {
  const plan = plansTold(HISTORY, []).history.at(MODEL, 7)!.rollout!;

  it('may have other checks, limits and durations, and other steps where none were taken', () => {
    expect(otherSpecProblem({ ...SPEC, checks: {}, alpha: 0.05 }, plan)).toBeNull();
    const [first, second] = SPEC.steps;
    const begun = plansTold(HISTORY, []).history.at(MODEL, 3)!.rollout!;
    expect(otherSpecProblem({ ...SPEC, steps: [first!, { kind: 'pause' }, second!] }, begun)).toBeNull();
  });

  it.each([
    ['another model', { ...SPEC, model: 'spam' }, /the file is about spam/],
    [
      'another version',
      { ...SPEC, canary: { ...SPEC.canary!, version: 'v7' } },
      /compared v2 with v1, the file says v7/,
    ],
    ['other weights', { ...SPEC, steps: SPEC.steps.toReversed() }, /step 1 of fraud-1 had v2 at 0.1/],
    ['fewer steps', { ...SPEC, steps: SPEC.steps.slice(0, 1) }, /step 2 of fraud-1/],
  ])('cannot have %s', (_what, spec, problem) => {
    expect(otherSpecProblem(spec, plan)).toMatch(problem);
  });
});
