import { checkTitle } from '@app/words';
import { countText, sinceText } from './figures.js';
import type { Progress, Verdict } from './records.js';

/** What keeps a rollout from going on. */
export type AwaitedWhat = 'traffic' | 'labels' | 'time' | 'person' | 'evaluator' | 'canary' | 'nothing';

export interface Awaited {
  readonly what: AwaitedWhat;
  /** One sentence: what is missing, and what to do where something can be done. */
  readonly text: string;
  /** `about 6m`; null: not known, or it is not a matter of time. */
  readonly forecast: string | null;
}

const NOTHING: Awaited = { what: 'nothing', text: '', forecast: null };

/** By the verdict's reason code. Whatever is not here is evidence, which grows with traffic. */
const BY_CODE: Readonly<Record<string, AwaitedWhat>> = {
  'no-labels': 'labels',
  'labels-maturing': 'labels',
  'min-duration': 'time',
  'paused-by-plan': 'person',
  'prediction-drift': 'person',
  'bake-drift': 'person',
  'step-time-over': 'person',
  stale: 'evaluator',
  losses: 'evaluator',
  'split-mismatch': 'evaluator',
  'evaluator-diverged': 'person',
  'evaluator-rebuilding': 'person',
  'evaluator-failed': 'person',
  'evaluator-silent': 'evaluator',
};

/** What is waited for now, of the open rollout of a model. */
export function awaited(
  rollout: Pick<Progress, 'status' | 'canary' | 'held' | 'pause'> | null,
  verdict: Pick<Verdict, 'result' | 'reason' | 'forecast' | 'counted' | 'checks'> | null,
  nowMs: number,
): Awaited {
  switch (rollout?.status) {
    case 'waiting-ready':
      return {
        what: 'canary',
        text: rollout.held?.text ?? `${rollout.canary} is asked whether it is ready`,
        forecast: null,
      };
    case 'paused':
      return paused(rollout.pause, nowMs);
    case 'progressing':
      return progressing(rollout.held, verdict);
    default:
      return NOTHING;
  }
}

function paused(pause: Progress['pause'] | null, nowMs: number): Awaited {
  if (pause?.until !== undefined) {
    const forecast = sinceText(Math.max(0, pause.until - nowMs));
    return { what: 'time', text: 'The pause ends by itself.', forecast };
  }
  return { what: 'person', text: 'A person has to promote, resume or abort it.', forecast: null };
}

function progressing(
  held: Progress['held'] | null,
  verdict: Pick<Verdict, 'result' | 'reason' | 'forecast' | 'counted' | 'checks'> | null,
): Awaited {
  if (held) return { what: BY_CODE[held.code] ?? 'traffic', text: held.text, forecast: null };
  if (!verdict) return { what: 'evaluator', text: 'The first verdict on this rollout.', forecast: null };
  const { reason, forecast } = verdict;
  const what = BY_CODE[reason.code] ?? (labelsAlone(verdict) ? 'labels' : 'traffic');
  return { what, text: reason.text, forecast: forecastText(forecast) };
}

/** Accuracy is all that a pass still waits for. */
function labelsAlone({ checks }: Pick<Verdict, 'checks'>): boolean {
  const open = checks.filter(({ gating, result }) => gating && result !== 'pass');
  return open.length > 0 && open.every(({ check }) => check === 'accuracy' || check === 'shadow.accuracy');
}

export function forecastText({ minutesToGo }: Verdict['forecast']): string | null {
  if (minutesToGo === null) return null;
  return minutesToGo < 1 ? 'within a minute' : `about ${sinceText(minutesToGo * 60_000)}`;
}

/** When a pass is to be expected, as a sentence. */
export function passText(verdict: Pick<Verdict, 'forecast' | 'counted' | 'checks'>): string {
  const { forecast, counted, checks } = verdict;
  if (counted.canary === 0) return 'The first predictions that count are awaited, after the warm-up.';
  const unknown = checks.filter((check) => check.gating && check.result === 'no-data');
  if (unknown.length > 0) return `Data is awaited on ${unknown.map(checkTitle).join(', ')}.`;
  const when = forecastText(forecast);
  if (when === null || forecast.predictionsToGo === null)
    return 'At this traffic no pass is in sight: more traffic, or a larger share, is needed.';
  if (forecast.predictionsToGo === 0) return `The step can pass ${when}.`;
  return `About ${countText(forecast.predictionsToGo)} more canary predictions until the step can pass, ${when}.`;
}

/** Who or what, as a word beside an icon. */
export const AWAITED_WORDS: Readonly<Record<AwaitedWhat, string>> = {
  traffic: 'traffic',
  labels: 'labels',
  time: 'time',
  person: 'a person',
  evaluator: 'the evaluator',
  canary: 'the canary',
  nothing: 'nothing',
};
