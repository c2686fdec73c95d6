import { assertNever, type Command, type CommandResult, type RolloutState, type Verdict } from '@app/shared';
import type { Draft } from './draft.js';
import type { RolloutInput, Transition, TransitionContext } from './inputs.js';
import { COMMANDS_KEPT } from './limits.js';
import { onApply, unknownModel } from './on-apply.js';
import { onCommand, type Refusal, refuse } from './on-command.js';
import { onReadiness } from './on-readiness.js';
import { onTimer } from './on-timer.js';
import { onVerdict } from './on-verdict.js';

const SYSTEM = 'system';

/**
 * Moves a model by one input. Pure: no clock, no I/O. Inputs may come twice, late or out of order; what is old, foreign
 * or done already changes nothing. Throws only where the state itself is broken.
 */
export function transition(state: RolloutState | null, input: RolloutInput, context: TransitionContext): Transition {
  // A clock that was put back must not make a model's history run backwards.
  const nowMs = Math.max(context.nowMs, state?.updatedAt ?? 0);
  if (input.kind === 'command') return byCommand(state, input.command, nowMs);
  if (!state) return { state, decisions: [], ignored: 'unknown-model' };
  const draft = (cause: Draft['cause']): Draft => ({ state, decisions: [], nowMs, cause, actor: SYSTEM });
  switch (input.kind) {
    case 'verdict':
      return byVerdict(draft({ kind: 'verdict', verdictId: input.verdict.verdictId }), input.verdict);
    case 'timer':
      return finished(onTimer(draft({ kind: 'timer', timer: 'tick' }), input.silentForMs));
    case 'readiness': {
      const result = onReadiness(draft({ kind: 'timer', timer: 'readiness' }), input);
      return typeof result === 'string' ? { state, decisions: [], ignored: result } : finished(result);
    }
    default:
      return assertNever(input, 'input');
  }
}

function byVerdict(draft: Draft, verdict: Verdict): Transition {
  const result = onVerdict(draft, verdict);
  return typeof result === 'string' ? { state: draft.state, decisions: [], ignored: result } : finished(result);
}

function finished(draft: Draft): Transition {
  return { state: draft.state, decisions: draft.decisions };
}

function byCommand(state: RolloutState | null, command: Command, nowMs: number): Transition {
  const done = state?.commands.find((result) => result.commandId === command.commandId);
  if (done) return { state, decisions: [], commandResult: done, ignored: 'done-already' };
  const cause = { kind: 'command', commandId: command.commandId } as const;
  const known = state ?? newModel(command);
  if (!known) {
    const { refused } = refuse('unknown-model', `there is no model ${command.model}; apply a rollout file first`);
    return { state, decisions: [], commandResult: resultOf(command, 0, refused) };
  }
  const { actor, onBehalfOf } = command;
  const draft: Draft = { state: known, decisions: [], nowMs, cause, actor, onBehalfOf };
  const outcome = carryOut(draft, command);
  if ('refused' in outcome) {
    const commandResult = resultOf(command, known.sequence, outcome.refused);
    return { state: state && remembered(state, commandResult), decisions: [], commandResult };
  }
  const commandResult = resultOf(command, outcome.state.sequence);
  return { state: remembered(outcome.state, commandResult), decisions: outcome.decisions, commandResult };
}

function newModel(command: Command): RolloutState | null {
  return command.action === 'apply' && command.spec ? unknownModel(command.model, command.spec.stable.version) : null;
}

function carryOut(draft: Draft, command: Command): Draft | Refusal {
  if (command.action !== 'apply') return onCommand(draft, { ...command, action: command.action });
  if (!command.spec) return refuse('spec-missing', 'apply needs a rollout spec');
  return onApply(draft, command, command.spec);
}

function resultOf(command: Command, sequence: number, refused?: Refusal['refused']): CommandResult {
  return refused
    ? { commandId: command.commandId, result: 'refused', reason: refused, sequence }
    : { commandId: command.commandId, result: 'applied', sequence };
}

/** The newest results stay in the state: they make a command that comes twice act once. */
function remembered(state: RolloutState, result: CommandResult): RolloutState {
  return { ...state, commands: [...state.commands, result].slice(-COMMANDS_KEPT) };
}
