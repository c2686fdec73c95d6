/** Without a verdict for so long the rollout is held. */
export const SILENCE_HELD_MS = 30_000;
/** After so long without one, onInconclusive decides. */
export const SILENCE_INCONCLUSIVE_MS = 600_000;
/** The same reason is not given again sooner than this. */
export const HELD_AGAIN_MS = 30_000;
/** A verdict that rests on data older than that says nothing about now. */
export const VERDICT_AGE_MS_MAX = 10_000;
/** A canary that has not answered by then never gets a user. */
export const READINESS_WAIT_MS = 300_000;
/** Decisions and command results kept in the state itself. */
export const DECISIONS_KEPT = 20;
export const COMMANDS_KEPT = 100;
/** Prediction ids carry the version in one byte. */
export const VERSION_INDEX_MAX = 255;
