import type { Command, RolloutState, VerdictResult } from '@app/shared';
import { describe, expect, test } from 'vitest';
import { command, shadow, spec, T0, traffic, verdict } from '../../../test/builders.js';
import type { RolloutInput } from './inputs.js';
import { transition } from './transition.js';

/** A rollout in its shadow step, moved on input by input. */
class Shadow {
  state: RolloutState | null = null;
  nowMs = T0;

  constructor(steps = [shadow(0.25), traffic(0.1), traffic(1)]) {
    this.feed({ kind: 'command', command: command('apply', { spec: spec({ steps }) }) });
    this.feed({ kind: 'readiness', rollout: 'digits-1', ready: true, detail: '200' });
  }

  feed(input: RolloutInput): this {
    this.nowMs += 1000;
    this.state = transition(this.state, input, { nowMs: this.nowMs }).state;
    return this;
  }

  says(result: VerdictResult): this {
    return this.feed({ kind: 'verdict', verdict: verdict(this.model, result, { asOf: this.nowMs }) });
  }

  told(action: Command['action']): this {
    return this.feed({ kind: 'command', command: command(action, { reason: 'because' }) });
  }

  get model(): RolloutState {
    return this.state!;
  }
}

describe('a shadow step', () => {
  test('begins with copies for the canary, all answers from stable, and a phase of its own', () => {
    const { model } = new Shadow();
    expect(model.weights).toEqual({ v1: 1, v2: 0 });
    expect(model.shadow).toEqual({ version: 'v2', fraction: 0.25 });
    expect(model.rollout).toMatchObject({ status: 'progressing', step: 0 });
    expect(model.rollout!.phases).toMatchObject([{ step: 0, generation: model.generation, bake: false }]);
    expect(model.decisions.at(-1)!.reason.text).toContain('v2 gets copies of 25 % of the predictions');
  });

  test('that passes gives the canary its first users, without copies, under a new generation', () => {
    const story = new Shadow();
    const { generation } = story.model;
    story.says('pass');
    expect(story.model).toMatchObject({ weights: { v1: 0.9, v2: 0.1 }, generation: generation + 1 });
    expect(story.model.shadow).toBeUndefined();
  });

  test.each(['fail', 'abort'] as const)('ended by %s leaves everybody with stable, under a new generation', (how) => {
    const story = new Shadow();
    const { generation } = story.model;
    if (how === 'fail') story.says('fail');
    else story.told('abort');
    expect(story.model).toMatchObject({ weights: { v1: 1, v2: 0 }, generation: generation + 1 });
    expect(story.model.shadow).toBeUndefined();
    expect(story.model.rollout!.endedAt).toBeDefined();
  });

  test('sends no copies while it is paused, and again when it is resumed', () => {
    const story = new Shadow().told('pause');
    expect(story.model.shadow).toBeUndefined();
    expect(story.model.rollout!.status).toBe('paused');
    story.told('resume');
    expect(story.model.shadow).toEqual({ version: 'v2', fraction: 0.25 });
    expect(story.model.rollout).toMatchObject({ status: 'progressing', step: 0 });
  });

  test('waits for a person before the first users, without copies', () => {
    const story = new Shadow([shadow(1), { kind: 'pause' }, traffic(1)]).says('pass');
    expect(story.model.shadow).toBeUndefined();
    expect(story.model.rollout).toMatchObject({ status: 'paused', step: 1 });
    story.told('promote');
    expect(story.model.weights).toEqual({ v1: 0, v2: 1 });
    expect(story.model.shadow).toBeUndefined();
  });

  test.each(['promote', 'promote-full'] as const)('may be left by hand: %s', (action) => {
    const story = new Shadow().told(action);
    expect(story.model.weights['v2']).toBe(action === 'promote' ? 0.1 : 1);
    expect(story.model.shadow).toBeUndefined();
  });

  test('may be followed by another', () => {
    const story = new Shadow([shadow(0.1), shadow(1), traffic(1)]);
    const { generation } = story.model;
    story.says('pass');
    expect(story.model.shadow).toEqual({ version: 'v2', fraction: 1 });
    expect(story.model).toMatchObject({ weights: { v1: 1, v2: 0 }, generation: generation + 1 });
  });

  test('that is inconclusive is paused', () => {
    const story = new Shadow().says('inconclusive');
    expect(story.model.rollout!.status).toBe('paused');
    expect(story.model.shadow).toBeUndefined();
  });
});
