import type { PredictionValue } from './prediction-value.js';

/**
 * Whether two answers say the same: equal classes, or numbers that differ by no more than the tolerance, as a number is
 * compared with its label. Undefined: one of them says nothing that can be compared.
 */
export function agreement(stable: PredictionValue, canary: PredictionValue, tolerance: number): boolean | undefined {
  if (stable.kind === 'none' || stable.kind !== canary.kind) return undefined;
  if (stable.kind === 'class') return stable.sealed === canary.sealed;
  // The last bits of decimal fractions must not decide: 4.35 - 4.25 is within .1.
  const rounding = 1e-9 * Math.max(1, Math.abs(stable.sealed));
  return Math.abs(stable.sealed - canary.sealed) <= tolerance + rounding;
}
