import type { Decision, Progress, RolloutRecord, Verdict } from './records.js';
import { sentence } from './sentence.js';
import { type StatusView, statusView } from './status.js';

export interface Headline {
  readonly status: StatusView;
  /** Since when it is like that; null where that is not known. */
  readonly since: number | null;
  /** Why it is as it is, in one or two sentences. */
  readonly reason: string;
}

const ENDS: ReadonlySet<Decision['action']> = new Set(['promoted', 'rolled-back', 'aborted']);

/** `present`: the model's rollout, where that is the one shown. */
export function headline(record: RolloutRecord, present: Progress | null, verdict: Verdict | null): Headline {
  const { status, step, spec, endedAt, decisions, stable, canary, rollout } = record;
  const steps = spec?.steps.length ?? 0;
  const [held, pause] = [present?.held ?? null, present?.pause ?? null];
  const names = [record.rollout, rollout.replace(/-\d+$/, ''), stable ?? '', canary ?? ''];
  const undone = decisions.find(({ action }) => action === 'undone');
  if (undone)
    return {
      status: { tone: 'bad', word: 'Promoted, then undone', detail: '' },
      since: undone.at,
      reason: sentence(undone.reason.text, names),
    };
  return {
    status: statusView({ status, step, steps, held, pause }),
    since: endedAt ?? held?.since ?? pause?.since ?? present?.stepStartedAt ?? record.startedAt,
    reason: sentence(reasonText({ decisions, held, pause, verdict, status }), names),
  };
}

interface ReasonSource {
  readonly decisions: readonly Decision[];
  readonly held: Progress['held'] | null;
  readonly pause: Progress['pause'] | null;
  readonly verdict: Verdict | null;
  readonly status: RolloutRecord['status'];
}

/** What ended it; else what holds it, what paused it; else what the data says. */
function reasonText({ decisions, held, pause, verdict, status }: ReasonSource): string {
  const end = decisions.find(({ action }) => ENDS.has(action));
  if (end) return end.reason.text;
  if (held) return held.text;
  if (pause) return pause.text;
  if (status === 'progressing' && verdict) return verdict.reason.text;
  return decisions.at(-1)?.reason.text ?? '';
}
