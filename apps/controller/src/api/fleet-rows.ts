import { type RolloutState, type Verdict, worstCheck } from '@app/shared';
import type { RolloutJournal } from '../reading/rollout-journal.js';
import type { FleetRow } from './schemas.js';

/** A model in one line, as little as a list of hundreds needs. */
export function fleetRow(state: RolloutState, journal: RolloutJournal): FleetRow {
  const { model, stable, canary, weights, shadow, rollout } = state;
  const verdict = journal.lastVerdict(state);
  const last = state.decisions.at(-1);
  return {
    model,
    stable,
    canary: canary ?? null,
    weights,
    shadow: shadow ?? null,
    rollout: rollout ? fleetRollout(rollout) : null,
    verdict: verdict && fleetVerdict(verdict),
    last: last ? fleetDecision(last) : null,
  };
}

function fleetRollout(progress: NonNullable<RolloutState['rollout']>): FleetRow['rollout'] {
  const { rollout, status, stable, canary, step, spec, startedAt, stepStartedAt, endedAt, held, pause } = progress;
  return {
    rollout,
    status,
    stable,
    canary,
    step,
    steps: spec.steps.length,
    startedAt,
    stepStartedAt,
    endedAt: endedAt ?? null,
    held: held ?? null,
    pause: pause ?? null,
  };
}

function fleetVerdict({ result, reason, asOf, counted, forecast, checks }: Verdict): FleetRow['verdict'] {
  return { result, reason, asOf, counted, forecast, worst: worstCheck(checks) ?? null };
}

function fleetDecision({ sequence, action, at, actor, reason }: RolloutState['decisions'][number]): FleetRow['last'] {
  return { sequence, action, at, actor, reason: { code: reason.code, text: reason.text } };
}
