import { statusWord } from '@app/words';
import type { RolloutStatus } from './records.js';

/** Colours and icons: each tone has both, so that neither is needed alone. */
export type Tone = 'good' | 'bad' | 'wait' | 'active' | 'calm';

export interface StatusView {
  readonly tone: Tone;
  /** `Paused`, `Rolled back`, `Stable`. */
  readonly word: string;
  /** `step 2 of 4`; empty where there is no rollout. */
  readonly detail: string;
}

/** What a status needs to be told: the open rollout, or the last one. */
export interface StatusSource {
  readonly status: RolloutStatus;
  readonly step: number;
  readonly steps: number;
  readonly held: object | null;
  readonly pause: { readonly until?: number } | null;
}

export const NO_ROLLOUT: StatusView = { tone: 'calm', word: 'Stable', detail: 'no rollout yet' };

export function statusView(rollout: StatusSource | null): StatusView {
  if (!rollout) return NO_ROLLOUT;
  const { status, step, steps, held, pause } = rollout;
  const detail = `step ${step + 1} of ${steps}`;
  switch (status) {
    case 'promoted':
      return { tone: 'good', word: statusWord(status), detail: '' };
    case 'rolled-back':
    case 'aborted':
      return { tone: 'bad', word: statusWord(status), detail: `at ${detail}` };
    case 'waiting-ready':
      return { tone: 'wait', word: statusWord(status), detail: '' };
    case 'paused':
      return { tone: pause?.until === undefined ? 'wait' : 'active', word: statusWord(status), detail };
    case 'progressing':
      return held ? { tone: 'wait', word: 'Held', detail } : { tone: 'active', word: statusWord(status), detail };
  }
}
