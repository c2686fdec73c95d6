import type { RolloutStatus } from '../contracts/rollout-state.js';

const STATUS_WORDS: Readonly<Record<RolloutStatus, string>> = {
  'waiting-ready': 'Waiting for the canary',
  progressing: 'Progressing',
  paused: 'Paused',
  promoted: 'Promoted',
  'rolled-back': 'Rolled back',
  aborted: 'Aborted',
};

export const statusWord = (status: RolloutStatus): string => STATUS_WORDS[status];
