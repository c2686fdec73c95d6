import { type Draft, isOpen } from './draft.js';
import type { ReadinessInput } from './inputs.js';
import { hold, startRollout } from './steps.js';

/** The canary's answer before the first user: it starts the rollout, or says once why it does not start. */
export function onReadiness(draft: Draft, answer: ReadinessInput): Draft | 'no-open-rollout' {
  const { rollout } = draft.state;
  if (!isOpen(rollout) || rollout.status !== 'waiting-ready' || rollout.rollout !== answer.rollout) {
    return 'no-open-rollout';
  }
  if (!answer.ready) {
    return hold(
      { ...draft, cause: { kind: 'timer', timer: 'readiness' } },
      { code: 'canary-not-ready', text: `${rollout.canary} is not ready: ${answer.detail}` },
    );
  }
  const by = rollout.appliedBy;
  if (!by) return startRollout(draft);
  const { commandId, actor, onBehalfOf } = by;
  return startRollout({ ...draft, cause: { kind: 'command', commandId }, actor, onBehalfOf });
}
