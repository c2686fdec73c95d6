import { type DecisionReason, assertNever, type RolloutProgress, type Verdict } from '@app/shared';
import { type Draft, isOpen } from './draft.js';
import { VERDICT_AGE_MS_MAX } from './limits.js';
import { decidingFirst, stepText } from './reason-text.js';
import { enterStep, giveUp, hold, pause, release } from './steps.js';

/** Why a verdict means nothing for the model as it stands. */
export type IgnoredVerdict =
  'no-open-rollout' | 'other-rollout' | 'other-step' | 'not-newer' | 'verdict-too-old' | 'canary-not-ready';

/**
 * Carries out what the data says. A fail of this rollout counts from every phase and at any age: evidence against a
 * canary does not expire. Everything else must be about the present phase, newer than the last one, and fresh.
 */
export function onVerdict(draft: Draft, verdict: Verdict): Draft | IgnoredVerdict {
  const { rollout } = draft.state;
  if (!isOpen(rollout)) return 'no-open-rollout';
  if (verdict.rollout !== rollout.rollout) return 'other-rollout';
  if (verdict.result === 'fail')
    return giveUp(noted(draft, rollout, verdict), 'rolled-back', reasonOf(verdict, 'fail'));
  if (rollout.status === 'waiting-ready') return 'canary-not-ready';
  if (isTooOld(verdict, draft.nowMs)) return 'verdict-too-old';
  if (!isNewer(verdict, rollout)) return 'not-newer';
  if (verdict.generation !== draft.state.generation) return 'other-step';
  if (rollout.status === 'progressing' && verdict.step !== rollout.step) return 'other-step';
  const heard = noted(draft, rollout, verdict);
  return rollout.status === 'paused' ? whilePaused(heard, rollout, verdict) : whileProgressing(heard, rollout, verdict);
}

/** A verdict about data so old that it is as good as none. */
export function isTooOld(about: { readonly asOf: number }, nowMs: number): boolean {
  return nowMs - about.asOf > VERDICT_AGE_MS_MAX;
}

function isNewer(verdict: Verdict, rollout: RolloutProgress): boolean {
  const last = rollout.lastVerdict;
  if (!last) return true;
  // By data first: an evaluator that had to begin again may number its cuts anew.
  return verdict.asOf === last.asOf ? verdict.cut.number > last.cut : verdict.asOf > last.asOf;
}

function noted(draft: Draft, rollout: RolloutProgress, verdict: Verdict): Draft {
  const lastVerdict = {
    verdictId: verdict.verdictId,
    cut: verdict.cut.number,
    asOf: verdict.asOf,
    receivedAt: draft.nowMs,
  };
  return { ...draft, state: { ...draft.state, rollout: { ...rollout, lastVerdict } } };
}

/** A pause waits for a person or its time; a verdict only shows that the evaluator is there again. */
function whilePaused(draft: Draft, rollout: RolloutProgress, verdict: Verdict): Draft {
  return rollout.held ? release(draft, reasonOf(verdict, 'pass')) : draft;
}

function whileProgressing(draft: Draft, rollout: RolloutProgress, verdict: Verdict): Draft {
  switch (verdict.result) {
    case 'pass':
      return enterStep(draft, rollout.step + 1, passedReason(rollout, verdict));
    case 'continue':
      return release(draft, reasonOf(verdict, 'continue'));
    case 'hold':
    case 'invalid':
      return hold(draft, reasonOf(verdict, 'no-data'));
    case 'inconclusive':
      return inconclusive(draft, rollout, verdict);
    case 'fail':
      throw new Error('a fail was to be carried out before');
    default:
      return assertNever(verdict.result, 'verdict result');
  }
}

function inconclusive(draft: Draft, rollout: RolloutProgress, verdict: Verdict): Draft {
  const reason = reasonOf(verdict, 'continue');
  if (isExtended(draft, rollout)) return hold(draft, reason);
  return rollout.spec.onInconclusive === 'rollback' ? giveUp(draft, 'rolled-back', reason) : pause(draft, reason);
}

/**
 * Who resumes an inconclusive step wants it to go on: it has its whole atMost again (for ever, where it has none), or
 * the next verdict would pause it at once.
 */
function isExtended(draft: Draft, rollout: RolloutProgress): boolean {
  if (rollout.resumedAt === undefined) return false;
  const step = rollout.spec.steps[rollout.step];
  const atMostMs = step && step.kind !== 'pause' ? step.atMostMs : undefined;
  return atMostMs === undefined || draft.nowMs - rollout.resumedAt < atMostMs;
}

function reasonOf(verdict: Verdict, deciding: Verdict['checks'][number]['result']): DecisionReason {
  return { ...verdict.reason, checks: decidingFirst(verdict.checks, deciding) };
}

function passedReason(rollout: RolloutProgress, verdict: Verdict): DecisionReason {
  const reason = reasonOf(verdict, 'pass');
  return { ...reason, text: `${stepText(rollout)} passed: ${reason.text}` };
}
