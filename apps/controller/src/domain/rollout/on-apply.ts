import { isDeepStrictEqual } from 'node:util';
import type { Command, RolloutProgress, RolloutSpec, RolloutState, VersionSpec } from '@app/shared';
import { decide, type Draft, isOpen } from './draft.js';
import { type Refusal, refuse } from './on-command.js';
import { whoOf } from './reason-text.js';
import { routedVersionChanged, withVersion } from './version-indexes.js';

/** A model before anything was decided about it. */
export function unknownModel(model: string, stable: string): RolloutState {
  return {
    schemaVersion: 1,
    model,
    sequence: 0,
    generation: 0,
    updatedAt: 0,
    salt: `${model}-0`,
    stable,
    weights: {},
    versions: {},
    rolloutCount: 0,
    versionIndexMax: -1,
    versionIndexes: {},
    decisions: [],
    commands: [],
  };
}

/**
 * Registers a model, or begins a rollout that waits until its canary is ready. The same spec again while its rollout is
 * open changes nothing, so that it may be applied as often as one likes.
 */
export function onApply(draft: Draft, command: Command, spec: RolloutSpec): Draft | Refusal {
  const { state } = draft;
  const { rollout } = state;
  if (isOpen(rollout)) {
    if (sameJson(rollout.spec, spec)) return draft;
    const text = `${state.model} has an open rollout, ${rollout.rollout} (${rollout.status}), with another spec; abort or promote it first`;
    return refuse('rollout-open', text);
  }
  if (spec.stable.version !== state.stable) {
    return refuse(
      'stable-differs',
      `stable of ${state.model} is ${state.stable}, the spec says ${spec.stable.version}; write stable.version: ${state.stable}, or set the traffic back first (undo)`,
    );
  }
  if (spec.canary?.version === spec.stable.version) {
    return refuse(
      'same-version',
      `canary and stable are both ${spec.stable.version}; a canary needs a name of its own`,
    );
  }
  const versions = addVersions(state, spec.canary ? [spec.stable, spec.canary] : [spec.stable]);
  if (!versions) {
    return refuse(
      'versions-used-up',
      `${state.model} has had 256 versions, as many as a prediction id can tell apart; go on under another model name`,
    );
  }
  const registered = register(draft, command, spec, versions);
  return spec.canary ? awaitReady(registered, command, spec, spec.canary, versions) : registered;
}

type Versions = Pick<RolloutState, 'versions' | 'versionIndexes' | 'versionIndexMax'>;

function addVersions(state: RolloutState, specs: readonly VersionSpec[]): Versions | null {
  let versions: Versions | null = state;
  for (const spec of specs) versions = versions && withVersion(versions, spec);
  return versions && pick(versions);
}

const pick = ({ versions, versionIndexes, versionIndexMax }: Versions): Versions => ({
  versions,
  versionIndexes,
  versionIndexMax,
});

/** Routing that a spec changes at once: a model that is new, a version with traffic that moved, or a file without a canary. */
function register(draft: Draft, command: Command, spec: RolloutSpec, versions: Versions): Draft {
  const { state } = draft;
  const isNew = state.sequence === 0;
  const alone = spec.canary === undefined;
  const moved = !isNew && routedVersionChanged(state, versions.versions);
  const restated =
    alone && !(state.weights[state.stable] === 1 && sameJson(state.prediction ?? null, spec.prediction ?? null));
  if (!isNew && !moved && !restated) return draft;
  const text = isNew
    ? `${state.model} registered by ${whoOf(command)}; ${state.stable} gets all traffic`
    : `${state.model} registered anew by ${whoOf(command)}: ${moved ? 'a version with traffic is reached in another way' : `${state.stable} gets all traffic`}`;
  return decide(draft, {
    action: 'registered',
    reason: { code: isNew ? 'registered' : 'registered-anew', text },
    ...(isNew || alone ? { weights: { [state.stable]: 1 } } : {}),
    reroutes: true,
    patch: { ...versions, ...(isNew || alone ? { prediction: spec.prediction } : {}) },
    spec,
  });
}

/** The canary is known to the routers from here on, without traffic; the question whether it is ready is the shell's. */
function awaitReady(draft: Draft, command: Command, spec: RolloutSpec, canary: VersionSpec, versions: Versions): Draft {
  const { state } = draft;
  const number = state.rolloutCount + 1;
  const rollout: RolloutProgress = {
    rollout: `${state.model}-${number}`,
    spec,
    status: 'waiting-ready',
    stable: spec.stable.version,
    canary: canary.version,
    step: 0,
    phases: [],
    startedAt: draft.nowMs,
    stepStartedAt: draft.nowMs,
    appliedBy: {
      commandId: command.commandId,
      actor: command.actor,
      ...(command.onBehalfOf === undefined ? {} : { onBehalfOf: command.onBehalfOf }),
      reason: command.reason,
    },
  };
  const weights = { ...state.weights, [canary.version]: state.weights[canary.version] ?? 0 };
  return {
    ...draft,
    state: { ...state, ...versions, weights, rollout, rolloutCount: number, updatedAt: draft.nowMs },
  };
}

/** Equal as the JSON that travels: a field that is absent and one that is undefined are the same. */
function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
}
