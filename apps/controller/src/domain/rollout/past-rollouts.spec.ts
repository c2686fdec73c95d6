import type { Decision, RolloutState } from '@app/shared';
import { describe, expect, test } from 'vitest';
import { command, spec, T0, verdict } from '../../../test/builders.js';
import type { RolloutInput } from './inputs.js';
import { rolloutRecords } from './past-rollouts.js';
import { transition } from './transition.js';

/** A model, driven by inputs, with every decision that was made on the way. */
class Model {
  state: RolloutState | null = null;
  readonly decisions: Decision[] = [];
  private nowMs = T0;

  does(...inputs: ((state: RolloutState) => RolloutInput)[]): this {
    for (const input of inputs) {
      this.nowMs += 1_000;
      const moved = transition(this.state, input(this.state!), { nowMs: this.nowMs });
      this.state = moved.state;
      this.decisions.push(...moved.decisions);
    }
    return this;
  }
  records() {
    return rolloutRecords(this.state!, this.decisions);
  }
}

const apply =
  (version = 'v2') =>
  (): RolloutInput => {
    const canary = { version, url: `http://127.0.0.1:9/${version}`, deadlineMs: 1000, maxConcurrency: 1 };
    const file = spec({ canary });
    const steps = file.steps.map((step) => (step.kind === 'traffic' ? { ...step, weights: { v1: step.weights['v1']!, [version]: step.weights['v2']! } } : step)); // prettier-ignore
    return { kind: 'command', command: command('apply', { spec: { ...file, steps } }) };
  };
const ready = (state: RolloutState): RolloutInput => ({ kind: 'readiness', rollout: state.rollout!.rollout, ready: true, detail: '200' }); // prettier-ignore
const judged = (result: 'pass' | 'fail') => (state: RolloutState): RolloutInput => ({ kind: 'verdict', verdict: verdict(state, result) }); // prettier-ignore
const told = (action: 'abort' | 'undo' | 'promote-full') => (): RolloutInput => ({ kind: 'command', command: command(action, { reason: 'so' }) }); // prettier-ignore

describe('the rollouts of a model', () => {
  test('are told from its decisions, newest first, each with its own', () => {
    const model = new Model().does(apply(), ready, judged('pass'), judged('fail'), apply('v3'), ready);
    const [open, past] = model.records();
    expect(open).toMatchObject({ rollout: 'digits-2', status: 'progressing', stable: 'v1', canary: 'v3', step: 0, endedAt: null }); // prettier-ignore
    expect(past).toMatchObject({ rollout: 'digits-1', status: 'rolled-back', stable: 'v1', canary: 'v2', step: 1 });
    expect(past!.decisions.map(({ action }) => action)).toEqual(['started', 'weight-changed', 'rolled-back']);
    expect([past!.startedAt, past!.endedAt]).toEqual([past!.decisions[0]!.at, past!.decisions[2]!.at]);
    expect(past!.spec!.canary!.version).toBe('v2');
  });

  test('that are over are told the same as while they were the last', () => {
    const model = new Model().does(apply(), ready, told('promote-full'), told('undo'));
    const [last] = model.records();
    expect(last!.decisions.map(({ action }) => action)).toEqual(['started', 'promoted', 'undone']);
    model.does(apply('v3'));
    // Its beginning is the first decision's time then, not the command's.
    expect(model.records()[1]).toEqual({ ...last!, startedAt: last!.decisions[0]!.at });
  });

  test('without their beginning say so', () => {
    const model = new Model().does(apply(), ready, told('abort'), apply('v3'), ready);
    const known = model.decisions.filter(({ action, rollout }) => !(action === 'started' && rollout === 'digits-1'));
    expect(rolloutRecords(model.state!, known)[1]).toMatchObject({
      rollout: 'digits-1',
      status: 'aborted',
      spec: null,
    });
  });

  test('that wait for their canary are known before their first decision', () => {
    const model = new Model().does(apply());
    expect(model.records()).toMatchObject([{ rollout: 'digits-1', status: 'waiting-ready', decisions: [] }]);
  });
});
