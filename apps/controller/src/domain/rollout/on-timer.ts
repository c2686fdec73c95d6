import { formatDuration, type RolloutProgress } from '@app/shared';
import { type Draft, isOpen } from './draft.js';
import { READINESS_WAIT_MS, SILENCE_HELD_MS, SILENCE_INCONCLUSIVE_MS } from './limits.js';
import { giveUp, hold, pause, resume } from './steps.js';

/** Does what is due by the clock; the draft itself when nothing is. */
export function onTimer(draft: Draft, silentForMs: number): Draft {
  const { rollout } = draft.state;
  if (!isOpen(rollout)) return draft;
  if (rollout.status === 'waiting-ready') return readinessOverdue(draft, rollout);
  const silentMs = silenceOf(draft, rollout, silentForMs);
  if (silentMs >= SILENCE_HELD_MS) return evaluatorSilent(draft, rollout, silentMs);
  const until = rollout.pause?.until;
  if (rollout.status === 'paused' && until !== undefined && draft.nowMs >= until) {
    return resume(caused(draft, 'pause-over'), { code: 'pause-over', text: 'the pause is over' });
  }
  return draft;
}

function readinessOverdue(draft: Draft, rollout: RolloutProgress): Draft {
  if (draft.nowMs - rollout.startedAt < READINESS_WAIT_MS) return draft;
  const last = rollout.held?.code === 'canary-not-ready' ? `: ${rollout.held.text}` : '';
  return giveUp(caused(draft, 'readiness'), 'aborted', {
    code: 'canary-not-ready',
    text: `${rollout.canary} was not ready within ${formatDuration(READINESS_WAIT_MS)}${last}; no user has seen it`,
  });
}

/** A phase that has just begun, and a step that a person has just resumed, have their own time to be judged. */
function silenceOf(draft: Draft, rollout: RolloutProgress, silentForMs: number): number {
  const phase = rollout.phases.at(-1);
  if (!phase) return 0;
  return Math.min(silentForMs, draft.nowMs - phase.startedAt, draft.nowMs - (rollout.resumedAt ?? 0));
}

/**
 * Nobody watches the canary: nothing goes on by itself, a timed pause neither. While it is silent the clock that counts
 * to the end is `held.since`, which outlives a change of the owner.
 */
function evaluatorSilent(draft: Draft, rollout: RolloutProgress, silentMs: number): Draft {
  const silent = caused(draft, 'evaluator-silent');
  if (rollout.held?.code !== 'evaluator-silent') {
    return hold(silent, {
      code: 'evaluator-silent',
      text: `no verdict about data of the last seconds for ${formatDuration(SILENCE_HELD_MS)} (limit ${formatDuration(SILENCE_HELD_MS)}): is the evaluator running, and do its clock and this one agree?`,
    });
  }
  const overdue =
    silentMs >= SILENCE_INCONCLUSIVE_MS ||
    draft.nowMs - rollout.held.since >= SILENCE_INCONCLUSIVE_MS - SILENCE_HELD_MS;
  if (!overdue) return draft;
  const reason = {
    code: 'evaluator-silent',
    text: `no verdict for ${formatDuration(SILENCE_INCONCLUSIVE_MS)}, onInconclusive is ${rollout.spec.onInconclusive}`,
  };
  if (rollout.spec.onInconclusive === 'rollback') return giveUp(silent, 'rolled-back', reason);
  return rollout.status === 'paused' ? draft : pause(silent, reason);
}

function caused(draft: Draft, timer: string): Draft {
  return { ...draft, cause: { kind: 'timer', timer } };
}
