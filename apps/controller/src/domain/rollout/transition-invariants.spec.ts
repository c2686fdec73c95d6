import assert from 'node:assert/strict';
import {
  type Command,
  type Decision,
  type RolloutState,
  rolloutStateCodec,
  type Verdict,
  VERDICT_RESULTS,
} from '@app/shared';
import { describe, expect, test } from 'vitest';
import { runs } from '../../../../../test/fixtures/thorough.js';
import { seededRandom } from '../../../../../test/fixtures/seeded-random.js';
import { command, registration, shadow, spec, T0, traffic, verdict, version } from '../../../test/builders.js';
import type { RolloutInput, Transition } from './inputs.js';
import { transition } from './transition.js';

/** Whatever comes, in whatever order, late, twice or out of nowhere: what must hold of every history. */
const SEEDS = runs(100, 40);
const INPUTS = 120;

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

const SPECS = [
  spec(),
  spec({ onInconclusive: 'rollback' }),
  spec({ steps: [traffic(0.1), { kind: 'pause' }, traffic(0.5), { kind: 'pause', durationMs: 60_000 }, traffic(1)] }),
  spec({ steps: [{ kind: 'pause' }, traffic(0.2, { atMostMs: 120_000 }), traffic(1)] }),
  spec({
    canary: version('v3'),
    steps: [{ kind: 'traffic', weights: { v1: 0.5, v3: 0.5 }, atLeast: { predictions: 0, durationMs: 0 } }],
  }),
  spec({ steps: [shadow(0.5), { kind: 'pause' }, traffic(0.2), traffic(1)] }),
  registration(),
];
const ACTIONS = ['promote', 'promote-full', 'pause', 'resume', 'abort', 'undo', 'set-traffic'] as const;
const WEIGHTS: Record<string, number>[] = [{ v1: 1 }, { v1: 0.5, v2: 0.5 }, { v2: 1 }, { v1: 0.3, v2: 0.3 }, { v9: 1 }];

function randomCommand(random: Random, state: RolloutState | null): Command {
  if (random() < 0.4) {
    const wanted = pick(random, SPECS);
    // Mostly one that fits, or nothing would ever start again after a promotion.
    const stable = state && random() < 0.9 ? version(state.stable) : wanted.stable;
    const canary = wanted.canary && state?.stable === wanted.canary.version ? version('v1') : wanted.canary;
    const renamed = { [wanted.stable.version]: stable.version, [wanted.canary?.version ?? '']: canary?.version ?? '' };
    const steps = wanted.steps.map((step) =>
      step.kind !== 'traffic'
        ? step
        : { ...step, weights: Object.fromEntries(Object.entries(step.weights).map(([v, w]) => [renamed[v] ?? v, w])) },
    );
    return command('apply', { spec: { ...wanted, stable, canary, steps } });
  }
  return command(pick(random, ACTIONS), { reason: pick(random, ['', 'because']), weights: pick(random, WEIGHTS) });
}

function randomInput(random: Random, state: RolloutState | null, nowMs: number): RolloutInput {
  const kind = random();
  if (!state || kind < 0.25) return { kind: 'command', command: randomCommand(random, state) };
  if (kind < 0.4) return { kind: 'timer', silentForMs: pick(random, [0, 10_000, 31_000, 700_000]) };
  if (kind < 0.6) {
    const rollout = pick(random, [state.rollout?.rollout ?? '', 'digits-1']);
    return { kind: 'readiness', rollout, ready: random() < 0.8, detail: 'detail' };
  }
  const overrides: Partial<Verdict> = { asOf: nowMs - pick(random, [0, 0, 0, 5_000, 11_000]) };
  if (random() < 0.2) Object.assign(overrides, { generation: state.generation - 1 });
  if (random() < 0.1) Object.assign(overrides, { rollout: 'digits-1' });
  if (random() < 0.1) Object.assign(overrides, { step: 0 });
  const result = random() < 0.5 ? 'pass' : pick(random, VERDICT_RESULTS);
  return { kind: 'verdict', verdict: verdict(state, result, overrides) };
}

/** Node's assert in here: at a quarter of a million checks vitest's expect would take longer than all the rest. */
function checkStep(before: RolloutState | null, input: RolloutInput, { state, decisions }: Transition): void {
  if (!state) return;
  const sum = Object.values(state.weights).reduce((total, weight) => total + weight, 0);
  assert.ok(Math.abs(sum - 1) < 1e-10);
  assert.deepEqual(Object.keys(state.weights).sort(), Object.keys(state.versions).sort());
  assert.ok(state.generation >= (before?.generation ?? 0));
  assert.ok(state.updatedAt >= (before?.updatedAt ?? 0));
  assert.equal(state.sequence, (before?.sequence ?? 0) + decisions.length);
  const ended = before?.rollout?.endedAt !== undefined;
  if (ended && state.rollout?.rollout === before.rollout?.rollout) assert.deepEqual(state.rollout, before.rollout);
  for (const [name, { index }] of Object.entries(state.versions)) assert.equal(state.versionIndexes[name], index);
  assert.equal(new Set(Object.values(state.versionIndexes)).size, Object.keys(state.versionIndexes).length);
  const canaryShare = (s: RolloutState | null): number => (s?.rollout ? (s.weights[s.rollout.canary] ?? 0) : 0);
  const byPerson = input.kind === 'command' || decisions.some((d) => d.action === 'started');
  const bySystem = input.kind === 'verdict' && input.verdict.result === 'pass';
  const afterPause = decisions.some((d) => d.reason.code === 'pause-over');
  if (canaryShare(state) > canaryShare(before)) assert.ok(byPerson || bySystem || afterPause);
}

function checkHistory(history: readonly Decision[]): void {
  let from: Record<string, number> = {};
  const nonZero = (weights: Record<string, number>): object =>
    Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
  history.forEach((decision, index) => {
    assert.equal(decision.sequence, index + 1);
    assert.equal(decision.decisionId, `digits/${index + 1}`);
    assert.deepEqual(nonZero(decision.from), nonZero(from));
    const rerouted = JSON.stringify(nonZero(decision.from)) !== JSON.stringify(nonZero(decision.to));
    if (rerouted) assert.ok(decision.generation > (history[index - 1]?.generation ?? 0));
    assert.notEqual(decision.reason.text, '');
    for (const version of decision.safeToRemove) assert.equal(decision.to[version], 0);
    from = decision.to;
  });
}

describe('every history', () => {
  test(`of ${SEEDS} x ${INPUTS} random inputs is gapless, ends for good, and moves the canary up for a reason only`, () => {
    const seen = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seededRandom(seed);
      let state: RolloutState | null = null;
      let nowMs = T0;
      const history: Decision[] = [];
      for (let i = 0; i < INPUTS; i++) {
        nowMs += pick(random, [0, 250, 5_000, 40_000, -2_000]);
        const input = randomInput(random, state, nowMs);
        const moved = transition(state, input, { nowMs });
        checkStep(state, input, moved);
        history.push(...moved.decisions);
        for (const { action } of moved.decisions) seen.add(action);
        state = moved.state;
        if (!state) continue;
        // The same verdict or command once more: read again after a crash, it changes nothing.
        if (input.kind === 'verdict' || input.kind === 'command') {
          const again = transition(state, input, { nowMs });
          assert.deepEqual(again.decisions, []);
          assert.deepEqual(again.state, state);
        }
        assert.ok(rolloutStateCodec.decode(rolloutStateCodec.encode(state)).ok);
      }
      checkHistory(history);
      expect(state?.weights).toEqual(history.at(-1) ? { ...state?.weights, ...history.at(-1)!.to } : {});
    }
    expect([...seen].sort()).toEqual([
      'aborted',
      'held',
      'paused',
      'promoted',
      'registered',
      'released',
      'resumed',
      'rolled-back',
      'started',
      'undone',
      'weight-changed',
    ]);
  });
});
