const STATUS_WORDS = {
  'waiting-ready': 'Waiting for the canary',
  progressing: 'Progressing',
  paused: 'Paused',
  promoted: 'Promoted',
  'rolled-back': 'Rolled back',
  aborted: 'Aborted',
} as const;

/** Of a rollout. */
export const statusWord = (status: keyof typeof STATUS_WORDS): string => STATUS_WORDS[status];
