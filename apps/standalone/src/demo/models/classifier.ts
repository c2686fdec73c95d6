import { SIDE } from '../digits.js';

/** Names the digit in a picture of 28 x 28 brightnesses 0..1. */
export type Classify = (pixels: Float32Array) => number;

const HALF = SIDE / 2;
export const POOLED = HALF * HALF;

/** Means of 2 x 2 pixels: 14 x 14 numbers that say nearly as much as the 784. */
export function pool(pixels: Float32Array): Float32Array {
  const pooled = new Float32Array(POOLED);
  for (let y = 0; y < HALF; y++)
    for (let x = 0; x < HALF; x++) {
      const at = 2 * y * SIDE + 2 * x;
      const sum = pixels[at]! + pixels[at + 1]! + pixels[at + SIDE]! + pixels[at + SIDE + 1]!;
      pooled[y * HALF + x] = sum / 4;
    }
  return pooled;
}

export function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const d = a[i]! - b[i]!;
    sum += d * d;
  }
  return sum;
}

export function indexOfMax(scores: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i;
  return best;
}
