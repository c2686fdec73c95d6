import { absoluteLine, type BaseRate, type BaseRateWindow } from './base-rate.js';
import type { ChecksPlan } from './checks-plan.js';
import type { ControlHistory } from './control-history.js';

/** The lines o_b of a look; null: control's base rate is not known, so its buckets are left out. */
export interface LinePair {
  readonly fail: number | null;
  readonly pass: number | null;
}

/** The lines of all looks with an absolute limit, fixed before a cut's buckets are folded. */
export interface Lines {
  readonly errorsEarly: LinePair;
  readonly errorsFinal: LinePair;
  readonly accuracy: LinePair;
  /** Accuracy with missing labels taken for wrong on the canary. */
  readonly accuracyOfAnswered: LinePair;
}

const UNKNOWN: LinePair = { fail: null, pass: null };
export const NO_LINES: Lines = {
  errorsEarly: UNKNOWN,
  errorsFinal: UNKNOWN,
  accuracy: UNKNOWN,
  accuracyOfAnswered: UNKNOWN,
};

/** Reads the lines off control's recent base rates. */
export function linesOf(history: ControlHistory, { errors, accuracy }: ChecksPlan): Lines {
  return {
    errorsEarly: errors ? pair(history.early, errors.maxIncrease, errors) : UNKNOWN,
    errorsFinal: errors ? pair(history.final, errors.maxIncrease, errors) : UNKNOWN,
    accuracy: accuracy ? pair(history.wrong, accuracy.maxDrop, accuracy) : UNKNOWN,
    accuracyOfAnswered: accuracy ? pair(history.wrongOfAnswered, accuracy.maxDrop, accuracy) : UNKNOWN,
  };
}

/** The line of FAIL alone; null: control's base rate is not known. */
export function failLine(window: BaseRateWindow, limit: number, check: { readonly strict: boolean }): number | null {
  return pair(window, limit, check).fail;
}

/**
 * FAIL takes the farther line of the two windows and PASS the nearer one: below a base rate of one half these are the
 * smaller and the larger estimate.
 */
function pair(window: BaseRateWindow, limit: number, { strict }: { readonly strict: boolean }): LinePair {
  const rate: BaseRate | null = window.current();
  if (!rate) return { fail: strict ? 1 : null, pass: null };
  const small = absoluteLine(rate.small, limit);
  const large = absoluteLine(rate.large, limit);
  return { fail: strict ? 1 : Math.max(small, large), pass: Math.min(small, large) };
}
