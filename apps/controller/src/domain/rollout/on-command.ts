import { assertNever, type Command, type DecisionReason, type RolloutProgress, type Weights } from '@app/shared';
import { decide, type Draft, isOpen } from './draft.js';
import { stepText, whoOf } from './reason-text.js';
import { enterStep, giveUp, pause, promote, resume } from './steps.js';
import { sameWeights, parseTraffic } from './weights.js';

/** Why a command was not carried out, with the remedy. */
export interface Refusal {
  readonly refused: { readonly code: string; readonly text: string };
}

export function refuse(code: string, text: string): Refusal {
  return { refused: { code, text } };
}

type RolloutAction = 'promote' | 'promote-full' | 'pause' | 'resume' | 'abort';

/** Carries out a command on a known model, `apply` excepted. The draft itself when there was nothing left to do. */
export function onCommand(
  draft: Draft,
  command: Command & { action: Exclude<Command['action'], 'apply'> },
): Draft | Refusal {
  switch (command.action) {
    case 'undo':
      return undo(draft, command);
    case 'set-traffic':
      return setTraffic(draft, command, command.weights ?? {});
    default:
      return onOpenRollout(draft, command, command.action);
  }
}

function onOpenRollout(draft: Draft, command: Command, action: RolloutAction): Draft | Refusal {
  const { rollout } = draft.state;
  if (!isOpen(rollout)) {
    const last = rollout ? `; the last one, ${rollout.rollout}, is ${rollout.status}` : '';
    return refuse('no-open-rollout', `${command.model} has no open rollout${last}; apply one first`);
  }
  if (command.rollout !== undefined && command.rollout !== rollout.rollout) {
    return refuse('other-rollout', `the open rollout is ${rollout.rollout}, not ${command.rollout}; look at it first`);
  }
  if (action === 'abort') return abort(draft, command);
  if (rollout.status === 'waiting-ready') {
    const text = `${rollout.canary} has not answered yet that it is ready; wait, or abort ${rollout.rollout}`;
    return refuse('canary-not-ready', text);
  }
  switch (action) {
    case 'promote':
      return enterStep(draft, rollout.step + 1, {
        code: 'promoted-by-hand',
        text: `${stepText(rollout)} ended by ${whoOf(command)}${because(command)}`,
      });
    case 'promote-full':
      return promote(draft, {
        code: 'promoted-by-hand',
        text: `promoted from ${stepText(rollout)} by ${whoOf(command)}${because(command)}`,
      });
    case 'pause':
      return pauseByHand(draft, rollout, command);
    case 'resume':
      if (rollout.status !== 'paused')
        return refuse('not-paused', `${rollout.rollout} is not paused; nothing to resume`);
      return resume(draft, { code: 'resumed-by-hand', text: `resumed by ${whoOf(command)}${because(command)}` });
    default:
      return assertNever(action, 'action');
  }
}

function abort(draft: Draft, command: Command): Draft | Refusal {
  if (command.reason.trim() === '') {
    return refuse('reason-required', 'an abort needs a reason, for those who read the history later');
  }
  return giveUp(draft, 'aborted', {
    code: 'aborted-by-hand',
    text: `aborted by ${whoOf(command)}${because(command)}`,
  });
}

/** A pause with an end becomes one without; any other pause stays what it is. */
function pauseByHand(draft: Draft, rollout: RolloutProgress, command: Command): Draft | Refusal {
  if (rollout.status === 'paused' && rollout.pause?.until === undefined) {
    return refuse('already-paused', `${rollout.rollout} is paused already; resume, promote or abort it`);
  }
  return pause(draft, { code: 'paused-by-hand', text: `paused by ${whoOf(command)}${because(command)}` });
}

/** After a promotion: back to the version that was stable before it. The rollout stays promoted, its end is final. */
function undo(draft: Draft, command: Command): Draft | Refusal {
  const { rollout, stable, versions } = draft.state;
  if (isOpen(rollout)) {
    return refuse(
      'rollout-open',
      `${command.model} has an open rollout, ${rollout.rollout}; abort it, undo is for what was promoted`,
    );
  }
  if (rollout?.status !== 'promoted') {
    return refuse('nothing-to-undo', `the last rollout of ${command.model} was not promoted; set the traffic by hand`);
  }
  if (stable !== rollout.canary || !versions[rollout.stable]) {
    return refuse('already-undone', `${rollout.rollout} has been undone; apply a new rollout to try again`);
  }
  const reason: DecisionReason = {
    code: 'undone-by-hand',
    text: `${rollout.rollout} undone by ${whoOf(command)}${because(command)}; ${rollout.stable} is stable again and gets all traffic`,
  };
  return decide(draft, {
    action: 'undone',
    reason,
    weights: { [rollout.stable]: 1 },
    reroutes: true,
    patch: { stable: rollout.stable, canary: undefined },
  });
}

function setTraffic(draft: Draft, command: Command, weights: Weights): Draft | Refusal {
  const { rollout, versions } = draft.state;
  if (isOpen(rollout)) {
    return refuse(
      'rollout-open',
      `${draft.state.model} has an open rollout, ${rollout.rollout}, which decides on the traffic; abort or promote it first`,
    );
  }
  const parsed = parseTraffic(weights, Object.keys(versions));
  if (!parsed.ok) return refuse('bad-weights', parsed.problems.map((p) => p.message).join('; '));
  if (sameWeights(parsed.value, draft.state.weights)) return draft;
  return decide(draft, {
    action: 'weight-changed',
    reason: { code: 'set-by-hand', text: `traffic set by ${whoOf(command)}${because(command)}` },
    weights: parsed.value,
  });
}

function because(command: Command): string {
  const reason = command.reason.trim();
  return reason === '' ? '' : `: ${reason}`;
}
