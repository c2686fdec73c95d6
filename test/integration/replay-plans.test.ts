import { type Decision, decisionCodec, modelHash, type RolloutState, rolloutStateCodec } from '@app/shared';
import { describe, expect, it } from 'vitest';
import type { RolloutInput } from '../../apps/controller/src/domain/rollout/inputs.js';
import { transition } from '../../apps/controller/src/domain/rollout/transition.js';
import {
  command,
  registration,
  shadow,
  spec,
  T0,
  traffic,
  verdict,
  version,
} from '../../apps/controller/test/builders.js';
import { StateDirectory } from '../../apps/evaluator/src/domain/cut/state-directory.js';
import { asCounted, type ModelPlan, planOf } from '../../apps/evaluator/src/domain/plan.js';
import { plansTold } from '../../apps/evaluator/src/domain/replay/plans-told.js';
import { seededRandom } from '../fixtures/seeded-random.js';

const INPUTS = 150;
const accuracy = { maxDrop: 0.02, labelsWithinMs: 60_000, strict: false };
const SPECS = [
  spec({ checks: { ...spec().checks, accuracy } }),
  spec({ steps: [traffic(0.1), { kind: 'pause' }, traffic(0.5), { kind: 'pause', durationMs: 60_000 }, traffic(1)] }),
  spec({ steps: [{ kind: 'pause' }, traffic(0.2, { atMostMs: 120_000 }), traffic(1)], onInconclusive: 'rollback' }),
  spec({ steps: [shadow(0.5), { kind: 'pause' }, traffic(0.2), traffic(1)], canary: version('v3') }),
  registration(),
];
const ACTIONS = ['promote', 'promote-full', 'pause', 'resume', 'abort', 'undo', 'set-traffic'] as const;

/** One of the files, with the versions that fit what is stable now. */
function fittingSpec(random: () => number, state: RolloutState | null) {
  const wanted = pick(random, SPECS);
  const stable = version(state?.stable ?? 'v1', `http://127.0.0.1:9/${Math.floor(random() * 2)}`);
  if (!wanted.canary) return { ...wanted, stable };
  const canary = version(stable.version === 'v2' ? 'v1' : 'v2');
  const steps = wanted.steps.map((step) => {
    if (step.kind !== 'traffic') return step;
    const share = Object.values(step.weights).at(-1)!;
    return { ...step, weights: { [stable.version]: Number((1 - share).toFixed(4)), [canary.version]: share } };
  });
  return { ...wanted, stable, canary, steps };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function someInput(random: () => number, state: RolloutState | null, nowMs: number): RolloutInput {
  const kind = random();
  if (!state || kind < 0.15)
    return { kind: 'command', command: command('apply', { spec: fittingSpec(random, state) }) };
  if (kind < 0.3) {
    const weights = pick<Record<string, number>>(random, [{ v1: 1 }, { v1: 0.5, v2: 0.5 }]);
    return { kind: 'command', command: command(pick(random, ACTIONS), { reason: 'because', weights }) };
  }
  if (kind < 0.45)
    return { kind: 'readiness', rollout: state.rollout?.rollout ?? '', ready: random() < 0.7, detail: 'detail' };
  if (kind < 0.55) return { kind: 'timer', silentForMs: pick(random, [0, 31_000, 700_000]) };
  const result = pick(random, ['pass', 'pass', 'continue', 'hold', 'invalid', 'inconclusive', 'fail'] as const);
  return { kind: 'verdict', verdict: verdict(state, result, { asOf: nowMs }) };
}

/** As it was read from the topic at that decision, beside what the decisions tell of it. */
interface Published {
  readonly state: RolloutState;
  readonly decisions: readonly Decision[];
}

function history(seed: number): readonly Published[] {
  const random = seededRandom(seed);
  const published: Published[] = [];
  let state: RolloutState | null = null;
  let nowMs = T0;
  for (let i = 0; i < INPUTS; i++) {
    nowMs += pick(random, [250, 5_000, 40_000]);
    const moved = transition(state, someInput(random, state, nowMs), { nowMs });
    state = moved.state;
    if (!state || moved.decisions.length === 0) continue;
    published.push({
      state: decoded(rolloutStateCodec.decode(rolloutStateCodec.encode(state))),
      decisions: moved.decisions.map((decision) => decoded(decisionCodec.decode(decisionCodec.encode(decision)))),
    });
  }
  return published;
}

function decoded<T>(parsed: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!parsed.ok) throw new Error('what was encoded cannot be decoded');
  return parsed.value;
}

/** What makes a difference to the engine. */
function whatMatters(plan: ModelPlan) {
  const { stable, generation, rollout } = asCounted(plan);
  return { stable, generation, rollout };
}

describe('the plans that decisions tell', () => {
  it.each(Array.from({ length: 60 }, (_, i) => i + 1))("are those of the controller's states (seed %i)", (seed) => {
    const published = history(seed);
    const decisions = published.flatMap((one) => one.decisions);
    const told = plansTold(decisions, []);
    const directory = new StateDirectory();
    for (const { state } of published) {
      directory.add(state);
      expect(whatMatters(told.history.at('digits', state.sequence)!)).toEqual(whatMatters(planOf(state)));
    }
    const [wanted, found] = [directory, told.directory].map((of) => of.model(modelHash('digits'))!);
    expect(found!.generation).toBe(wanted!.generation);
    for (let generation = 0; generation <= wanted!.generation; generation++)
      for (const of of ['counted', 'shadow'] as const)
        expect(found![of]?.(generation)).toEqual(wanted![of]?.(generation));
    for (let index = 0; index < 3; index++) {
      // A version that never got a prediction has no label either.
      if (found!.version(index) !== null) expect(found!.version(index)).toBe(wanted!.version(index));
    }
  });

  it('count nothing for a rollout that waits, though it has begun', () => {
    const waiting = [1, 2, 3, 4, 5, 6].flatMap((seed) => {
      const published = history(seed);
      const { history: plans } = plansTold(
        published.flatMap((one) => one.decisions),
        [],
      );
      return published
        .filter(({ state }) => state.rollout?.status === 'waiting-ready')
        .map(({ state }) => plans.at('digits', state.sequence)!.rollout);
    });
    expect(waiting.length).toBeGreaterThan(3);
    expect(waiting.filter((told) => told !== null)).toEqual([]);
  });
});
