import type { Decision, RolloutProgress, RolloutSpec, RolloutState, RolloutStatus } from '@app/shared';

/** A rollout, open or over, as its decisions tell it. */
export interface RolloutRecord {
  readonly rollout: string;
  readonly status: RolloutStatus;
  /** Null where the decision that started it is not known any more, or it never started. */
  readonly spec: RolloutSpec | null;
  readonly stable: string | null;
  readonly canary: string | null;
  /** The last step it was in. */
  readonly step: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Its decisions that are known, oldest first; an undo after its end is one of them. */
  readonly decisions: readonly Decision[];
}

const ENDS: ReadonlySet<Decision['action']> = new Set(['promoted', 'rolled-back', 'aborted']);

/** Every rollout of a model, newest first. `decisions`: all that are known of the model, oldest first. */
export function rolloutRecords(state: RolloutState, decisions: readonly Decision[]): readonly RolloutRecord[] {
  const byRollout = Map.groupBy(decisions, ({ rollout }) => rollout);
  const present = state.rollout;
  if (present && !byRollout.has(present.rollout)) byRollout.set(present.rollout, []);
  byRollout.delete(undefined);
  return [...byRollout]
    .map(([rollout, own]) =>
      present && present.rollout === rollout ? presentRecord(present, own) : pastRecord(rollout!, own),
    )
    .reverse();
}

/** The decision that says most about how it stands: the one that ended it, else its last one. */
export function decidingDecision({ decisions }: RolloutRecord): Decision | undefined {
  return decisions.find(({ action }) => ENDS.has(action)) ?? decisions.at(-1);
}

function presentRecord(present: RolloutProgress, decisions: readonly Decision[]): RolloutRecord {
  const { rollout, status, spec, stable, canary, step, startedAt, endedAt } = present;
  return { rollout, status, spec, stable, canary, step, startedAt, endedAt: endedAt ?? null, decisions };
}

function pastRecord(rollout: string, decisions: readonly Decision[]): RolloutRecord {
  const started = decisions.find(({ action }) => action === 'started');
  const end = decisions.find(({ action }) => ENDS.has(action));
  const last = end ?? decisions.at(-1);
  const spec = (started?.spec ?? null) as RolloutSpec | null;
  return {
    rollout,
    // What is not this model's present rollout is over, even where its end is not known.
    status: (end?.phase ?? 'aborted') as RolloutStatus,
    spec,
    stable: spec?.stable.version ?? null,
    canary: spec?.canary?.version ?? null,
    step: last?.step ?? 0,
    startedAt: decisions[0]?.at ?? 0,
    endedAt: end?.at ?? null,
    decisions,
  };
}
