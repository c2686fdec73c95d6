import { describe, expect, it } from 'vitest';
import { aState } from '../../testing/builders.js';
import { planOf } from '../plan.js';
import { knownPlanOf, PlanHistory, restrictPlan } from './plan-history.js';

const states = [0, 1, 2].map((step) => aState('fraud', step));
const ended = aState('fraud', 2, { ended: true });

describe('a plan restricted to what was known', () => {
  it.each([0, 1, 2])('is the plan of step %i as its own state told it', (step) => {
    const then = states[step]!;
    expect(restrictPlan(knownPlanOf(ended), then.sequence)).toEqual(planOf(then));
    expect(restrictPlan(knownPlanOf(states[2]!), then.sequence)).toEqual(planOf(then));
  });

  it('is ended only from the decision on that ended it', () => {
    expect(restrictPlan(knownPlanOf(ended), ended.sequence).rollout?.ended).toBe(true);
    expect(restrictPlan(knownPlanOf(ended), ended.sequence - 1).rollout?.ended).toBe(false);
    const later = knownPlanOf({ ...ended, sequence: ended.sequence + 5, generation: ended.generation + 2 });
    expect(restrictPlan(later, ended.sequence + 1).rollout?.ended).toBe(true);
  });

  it('has no rollout before its first phase', () => {
    expect(restrictPlan(knownPlanOf(ended), 2)).toEqual({ model: 'fraud', stable: 'v1', generation: 1, rollout: null });
  });
});

describe('the history of plans', () => {
  it('tells exactly what was known while the states are still there', () => {
    const history = new PlanHistory();
    for (const state of [...states, ended]) history.add(knownPlanOf(state));
    for (const state of states) expect(history.at('fraud', state.sequence)).toEqual(planOf(state));
    expect(history.at('fraud', ended.sequence)).toEqual({ ...planOf(ended), rollout: null });
    expect(history.newest('fraud')?.sequence).toBe(ended.sequence);
  });

  it('tells the same from the newest state alone', () => {
    const history = new PlanHistory();
    history.add(knownPlanOf(ended));
    for (const state of states) expect(history.at('fraud', state.sequence)).toEqual(planOf(state));
  });

  it('says which plans it has exactly', () => {
    const history = new PlanHistory();
    history.add(knownPlanOf(states[1]!));
    expect(history.exactAt('fraud', states[1]!.sequence)).toEqual(planOf(states[1]!));
    expect(history.exactAt('fraud', states[0]!.sequence)).toBeNull();
  });

  it('tells the same of a sequence whichever of its states is left: a rollout that waits counts for nothing', () => {
    const waiting = { ...ended, rollout: { ...states[0]!.rollout!, rollout: 'fraud-2', phases: [] } };
    const [before, after] = [new PlanHistory(), new PlanHistory()];
    before.add(knownPlanOf(ended));
    after.add(knownPlanOf(waiting));
    expect(after.at('fraud', ended.sequence)).toEqual(before.at('fraud', ended.sequence));
  });

  it('knows nothing of a model without a state', () => {
    expect(new PlanHistory().at('fraud', 3)).toBeNull();
    expect(new PlanHistory().newest('fraud')).toBeUndefined();
  });

  it('takes a state that is read again for known', () => {
    const history = new PlanHistory();
    history.add(knownPlanOf(states[1]!));
    history.add(knownPlanOf(states[0]!));
    history.add(knownPlanOf({ ...states[1]!, updatedAt: 7 }));
    expect(history.newest('fraud')?.sequence).toBe(states[1]!.sequence);
  });
});
