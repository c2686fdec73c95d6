import type { VerdictPoint } from './verdict-point.js';

/** So many slots while a rollout's age doubles: what is shown is within 1/64 of its age. */
const SLOTS_PER_OCTAVE = 64;

/**
 * Of a rollout's verdicts that fall into one slot the last one is kept: one a second in its first minute, one a minute
 * after an hour, one in half an hour after a day; 1,200 at most in 30 days. It depends on the rollout's age alone, so
 * everybody who reads the same verdicts keeps the same ones.
 */
export function pointSlot({ at, step, result }: VerdictPoint, startedAt: number): string {
  const seconds = Math.max(0, Math.floor((at - startedAt) / 1000));
  return `${slotNumber(seconds)}/${step}/${result}`;
}

function slotNumber(seconds: number): number {
  if (seconds < SLOTS_PER_OCTAVE) return seconds;
  const octave = Math.floor(Math.log2(seconds / SLOTS_PER_OCTAVE));
  const width = 2 ** octave;
  return SLOTS_PER_OCTAVE * (octave + 1) + Math.floor((seconds - SLOTS_PER_OCTAVE * width) / width);
}
