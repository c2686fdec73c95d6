/**
 * What a prediction said, as a number of 14 bits: so that predictions are counted in a bounded space whatever a model
 * answers. Numbers keep their order, within 1 %; classes are told apart by their hash.
 */
export const PREDICTION_BINS = 16_384;
const HALF = PREDICTION_BINS / 2;
/** Binary digits after the leading one: a bin is at most 2^-7 of its value wide. */
const MANTISSA_BITS = 7;
const STEPS = 2 ** MANTISSA_BITS;
/** Least magnitude that is told from 0, as a power of two; the greatest is 2^33. */
const LEAST_EXPONENT = -30;
const MAGNITUDE_MAX = HALF - 1;

/** Bin of a number: rises with it. */
export function binOfNumber(value: number): number {
  const magnitude = magnitudeOf(Math.abs(value));
  return value < 0 ? HALF - magnitude : HALF + magnitude;
}

/** Bin of a class by its classHash(). */
export const binOfClass = (classHash: number): number => classHash % PREDICTION_BINS;

/** The number of least magnitude in a bin. */
export function numberOfBin(bin: number): number {
  const magnitude = Math.abs(bin - HALF);
  if (magnitude === 0) return 0;
  const exponent = Math.floor((magnitude - 1) / STEPS) + LEAST_EXPONENT;
  const value = 2 ** exponent * (1 + ((magnitude - 1) % STEPS) / STEPS);
  return bin < HALF ? -value : value;
}

/** 0 for what is too small to be told from 0, else rising up to MAGNITUDE_MAX. */
function magnitudeOf(size: number): number {
  if (!(size >= 2 ** LEAST_EXPONENT)) return 0;
  const exponent = Math.min(Math.floor(Math.log2(size)), 40);
  // Math.log2 may be off by a bit just below a power of two.
  const power = 2 ** exponent > size ? exponent - 1 : exponent;
  const step = Math.floor((size / 2 ** power - 1) * STEPS);
  return Math.min(MAGNITUDE_MAX, 1 + (power - LEAST_EXPONENT) * STEPS + Math.min(STEPS - 1, step));
}
