import { ManualClock } from '@app/shared';
import { expect, test } from 'vitest';
import { command, spec, T0, verdict } from '../../test/builders.js';
import { transition } from '../domain/rollout/transition.js';
import { EvaluatorWatch } from './evaluator-watch.js';

const S = 1000;

function started(nowMs: number) {
  const applied = transition(null, { kind: 'command', command: command('apply', { spec: spec() }) }, { nowMs });
  const rollout = applied.state?.rollout?.rollout ?? '';
  const { state } = transition(applied.state, { kind: 'readiness', rollout, ready: true, detail: '' }, { nowMs });
  if (!state) throw new Error('not started');
  return state;
}

function watching(startedAt = T0) {
  const clock = new ManualClock(T0);
  return { clock, state: started(startedAt), watch: new EvaluatorWatch(clock) };
}

test('it is silent for as long as it was listened to', () => {
  const { clock, state, watch } = watching();
  clock.advance(7 * S);
  expect(watch.silentForMs(state)).toBe(7 * S);
});

test('a fresh verdict of the present generation ends the silence', () => {
  const { clock, state, watch } = watching();
  clock.advance(7 * S);
  watch.hear(state, verdict(state, 'continue', { asOf: clock.nowMs() - 10 * S }));
  clock.advance(2 * S);
  expect(watch.silentForMs(state)).toBe(2 * S);
});

test.each([
  ['an old one', { asOf: T0 - 4 * S }],
  ['one of another generation', { generation: 1 }],
  ['one of another rollout', { rollout: 'digits-0' }],
])('%s does not', (_, overrides) => {
  const { clock, state, watch } = watching();
  clock.advance(7 * S);
  watch.hear(state, verdict(state, 'continue', { asOf: clock.nowMs(), ...overrides }));
  expect(watch.silentForMs(state)).toBe(7 * S);
});

test('a wall clock that jumps is not silence', () => {
  let nowMs = T0;
  const watch = new EvaluatorWatch({ nowMs: () => nowMs, monotonicMs: () => 0 });
  nowMs += 3_600 * S;
  expect(watch.silentForMs(started(T0))).toBe(0);
});
