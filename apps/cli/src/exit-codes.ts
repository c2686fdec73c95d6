import { assertNever, type RolloutState } from '@app/shared';

/** What a script may rely on. */
export const EXIT = {
  /** Done; of `status`: promoted. */
  ok: 0,
  error: 1,
  /** Rolled back or aborted: stable has all the traffic. */
  rolledBack: 2,
  /** Of `replay`: other verdicts than were given. */
  differs: 2,
  /** Paused, not over yet, or --timeout came first. */
  undecided: 3,
  usage: 64,
} as const;

/** Exit code of `status`: how the open rollout, or the last one, stands. A model without any is what its file says: 0. */
export function exitCodeOf(state: RolloutState): number {
  const status = state.rollout?.status;
  switch (status) {
    case undefined:
    case 'promoted':
      return EXIT.ok;
    case 'rolled-back':
    case 'aborted':
      return EXIT.rolledBack;
    case 'waiting-ready':
    case 'progressing':
    case 'paused':
      return EXIT.undecided;
    default:
      return assertNever(status, 'rollout status');
  }
}
