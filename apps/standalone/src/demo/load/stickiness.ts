/** A user's answers began to come from another version. */
export interface Move {
  readonly user: number;
  readonly from: string;
  readonly to: string;
  /** When the answer was there, ms since the epoch. */
  readonly at: number;
}

export interface RolloutSpan {
  readonly stable: string;
  readonly canary: string;
  /** While the canary's weight only rose: until the rollout ended, ms since the epoch. */
  readonly until: number;
}

/**
 * Counts the moves that the assignment's rule forbids: while the canary's weight only rises, a user moves at most once,
 * from stable to canary. Moves after the end of a rollout are how a rollback reaches the users, and no violation.
 */
export function stickinessViolations(moves: readonly Move[], span: RolloutSpan): number {
  return moves.filter(({ from, to, at }) => at <= span.until && !(from === span.stable && to === span.canary)).length;
}
