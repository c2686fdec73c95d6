import {
  assertNever,
  type DecisionReason,
  formatDuration,
  type PauseStep,
  type RolloutProgress,
  type RolloutStep,
  type RolloutState,
  type ShadowStep,
  type TrafficStep,
} from '@app/shared';
import { decide, type Draft, type NewDecision, openRollout } from './draft.js';
import { HELD_AGAIN_MS } from './limits.js';
import { moveText, shareText, stepText } from './reason-text.js';

/** Copies end with the step that sends them, and rest while it is paused. */
const NO_COPIES = { shadow: undefined } as const;
/** Nothing of the former step holds any more. */
const FRESH_STEP = { held: undefined, pause: undefined, resumedAt: undefined } as const;

/** The canary is ready: gives it the first step's traffic. The decision carries the whole spec. */
export function startRollout(draft: Draft): Draft {
  const { spec, stable, canary, rollout: id } = openRollout(draft);
  const { [stable]: stableVersion, [canary]: canaryVersion } = draft.state.versions;
  if (!stableVersion || !canaryVersion) throw new Error(`${id}: a version of the rollout is not known`);
  const first = spec.steps[0];
  const weights = first?.kind === 'traffic' ? first.weights : { [stable]: 1 };
  const copies = first?.kind === 'shadow' ? `${copiesText(canary, first)}; ` : '';
  const started = decide(draft, {
    action: 'started',
    reason: {
      code: 'canary-ready',
      text: `${id} starts: ${copies}${canary} gets ${shareText(weights[canary] ?? 0)} of the traffic, ${stable} keeps ${shareText(weights[stable] ?? 0)}`,
    },
    weights,
    reroutes: true,
    rollout: (rollout, numbers) =>
      first && first.kind !== 'pause'
        ? withPhase(rollout, 0, draft.nowMs, numbers)
        : { ...rollout, ...FRESH_STEP, status: 'progressing', stepStartedAt: draft.nowMs },
    patch: {
      salt: id,
      canary,
      prediction: spec.prediction,
      shadow: shadowOf(canary, first),
      // Only now: until another rollout starts, an undo needs the version before.
      versions: { [stable]: stableVersion, [canary]: canaryVersion },
    },
    spec,
  });
  return first && first.kind !== 'pause'
    ? started
    : enterStep(started, 0, { code: 'canary-ready', text: `${id} starts` });
}

/** Goes on to a step, or promotes after the last one. `why` says what ended the step before. */
export function enterStep(draft: Draft, step: number, why: DecisionReason): Draft {
  const next = openRollout(draft).spec.steps[step];
  if (!next) return promote(draft, why);
  switch (next.kind) {
    case 'traffic':
      return enterTraffic(draft, step, next, why);
    case 'shadow':
      return enterShadow(draft, step, next, why);
    case 'pause':
      return enterPause(draft, step, next, why);
    default:
      return assertNever(next, 'step');
  }
}

/** Copies for the canary, all answers from stable. */
function enterShadow(draft: Draft, step: number, next: ShadowStep, why: DecisionReason): Draft {
  const rollout = openRollout(draft);
  const { stable, canary } = rollout;
  return decide(draft, {
    action: 'weight-changed',
    reason: { ...why, text: `${why.text}; ${copiesText(canary, next)} (${stepText(rollout, step)})` },
    weights: { [stable]: 1 },
    reroutes: true,
    patch: { shadow: shadowOf(canary, next) },
    rollout: (before, numbers) => withPhase(before, step, draft.nowMs, numbers),
  });
}

function shadowOf(canary: string, step: RolloutStep | undefined): RolloutState['shadow'] {
  return step?.kind === 'shadow' ? { version: canary, fraction: step.fraction } : undefined;
}

function copiesText(canary: string, { fraction }: ShadowStep): string {
  return `${canary} gets copies of ${shareText(fraction)} of the predictions, and no user sees its answers`;
}

function enterTraffic(draft: Draft, step: number, next: TrafficStep, why: DecisionReason): Draft {
  const rollout = openRollout(draft);
  const { canary } = rollout;
  const move = moveText(canary, draft.state.weights[canary], next.weights[canary] ?? 0);
  return decide(draft, {
    action: 'weight-changed',
    reason: { ...why, text: `${why.text}; ${move} (${stepText(rollout, step)})` },
    weights: next.weights,
    patch: NO_COPIES,
    // Each phase has a generation of its own, so that its evidence is told from the phase's before.
    reroutes: true,
    rollout: (before, numbers) => withPhase(before, step, draft.nowMs, numbers),
  });
}

function enterPause(draft: Draft, step: number, next: PauseStep, why: DecisionReason): Draft {
  const code = next.durationMs === undefined ? 'awaiting-approval' : 'timed-pause';
  const waits =
    next.durationMs === undefined
      ? 'waits until a person approves (promote or resume)'
      : `waits for ${formatDuration(next.durationMs)}`;
  const text = `${why.text}; ${stepText(openRollout(draft), step)} ${waits}`;
  const until = next.durationMs === undefined ? {} : { until: draft.nowMs + next.durationMs };
  return decide(draft, {
    action: 'paused',
    reason: { ...why, code, text },
    patch: NO_COPIES,
    rollout: (before) => ({
      ...before,
      ...FRESH_STEP,
      status: 'paused',
      step,
      stepStartedAt: draft.nowMs,
      pause: { code, text, since: draft.nowMs, ...until },
    }),
  });
}

function withPhase(
  rollout: RolloutProgress,
  step: number,
  nowMs: number,
  numbers: { sequence: number; generation: number; weights: Record<string, number> },
): RolloutProgress {
  const bake = (numbers.weights[rollout.stable] ?? 0) === 0;
  return {
    ...rollout,
    ...FRESH_STEP,
    status: 'progressing',
    step,
    stepStartedAt: nowMs,
    phases: [...rollout.phases, { ...numbers, step, bake, startedAt: nowMs }],
  };
}

/** The canary becomes stable and gets everything. The rollout ends. */
export function promote(draft: Draft, why: DecisionReason): Draft {
  const { canary } = openRollout(draft);
  return end(draft, 'promoted', {
    action: 'promoted',
    reason: { ...why, text: `${why.text}; ${canary} is stable now and gets all traffic` },
    weights: { [canary]: 1 },
    // Also where the weights were the same: from here on its predictions are stable's.
    reroutes: true,
    patch: { stable: canary, canary: undefined, ...NO_COPIES },
  });
}

/** Everything goes back to stable. The rollout ends. */
export function giveUp(draft: Draft, action: 'rolled-back' | 'aborted', why: DecisionReason): Draft {
  const { canary, stable, status } = openRollout(draft);
  const share = draft.state.weights[canary] ?? 0;
  const untouched = status === 'waiting-ready';
  return end(draft, action, {
    action,
    reason: { ...why, text: share > 0 ? `${why.text}; ${moveText(canary, share, 0)}` : why.text },
    ...(untouched ? {} : { weights: { [stable]: 1 } }),
    // The end of copies is a change of routing too.
    reroutes: draft.state.shadow !== undefined,
    patch: { canary: undefined, ...NO_COPIES },
  });
}

function end(draft: Draft, status: RolloutProgress['status'], decision: NewDecision): Draft {
  return decide(draft, {
    ...decision,
    rollout: (rollout, { sequence }) => ({
      ...rollout,
      ...FRESH_STEP,
      status,
      endedAt: draft.nowMs,
      endedBySequence: sequence,
    }),
  });
}

/** Stops where it is until somebody resumes it. */
export function pause(draft: Draft, why: DecisionReason): Draft {
  return decide(draft, {
    action: 'paused',
    reason: why,
    // Nobody is waiting for what copies show.
    patch: NO_COPIES,
    rollout: (rollout) => ({
      ...rollout,
      status: 'paused',
      pause: { code: why.code, text: why.text, since: draft.nowMs },
    }),
  });
}

/** Ends a pause: at a pause step the next one begins, otherwise the step goes on where it stood. */
export function resume(draft: Draft, why: DecisionReason): Draft {
  const { spec, step, canary } = openRollout(draft);
  const resumed = decide(draft, {
    action: 'resumed',
    reason: why,
    patch: { shadow: shadowOf(canary, spec.steps[step]) },
    rollout: (rollout) => ({
      ...rollout,
      status: 'progressing',
      pause: undefined,
      held: undefined,
      resumedAt: draft.nowMs,
    }),
  });
  return spec.steps[step]?.kind === 'pause' ? enterStep(resumed, step + 1, why) : resumed;
}

/**
 * Says once why nothing moves; again only when the code changes. What comes and goes is said every 30 s at most: the
 * history is for people.
 */
export function hold(draft: Draft, why: DecisionReason): Draft {
  const { held: before, rollout: id } = openRollout(draft);
  if (before?.code === why.code || wasHeldLately(draft, id, why.code)) return draft;
  const held = { code: why.code, text: why.text, since: draft.nowMs };
  return decide(draft, { action: 'held', reason: why, rollout: (rollout) => ({ ...rollout, held }) });
}

function wasHeldLately({ state, nowMs }: Draft, rollout: string, code: string): boolean {
  return state.decisions.some(
    (d) => d.action === 'held' && d.rollout === rollout && d.reason.code === code && nowMs - d.at < HELD_AGAIN_MS,
  );
}

/** What held it is over. */
export function release(draft: Draft, why: DecisionReason): Draft {
  const { held } = openRollout(draft);
  if (!held) return draft;
  return decide(draft, {
    action: 'released',
    reason: { ...why, text: `no longer held (${held.code}): ${why.text}` },
    rollout: (rollout) => ({ ...rollout, held: undefined }),
  });
}
