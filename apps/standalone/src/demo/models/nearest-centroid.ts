import { CLASSES, type Digit, PIXELS } from '../digits.js';
import { type Classify, indexOfMax, squaredDistance } from './classifier.js';

/** The digit whose average picture is nearest: some 80 % right. */
export function trainNearestCentroid(training: readonly Digit[]): Classify {
  const centroids = Array.from({ length: CLASSES }, () => new Float32Array(PIXELS));
  const counts = new Array<number>(CLASSES).fill(0);
  for (const { pixels, label } of training) {
    const centroid = centroids[label]!;
    counts[label]!++;
    for (let i = 0; i < PIXELS; i++) centroid[i]! += pixels[i]!;
  }
  centroids.forEach((centroid, label) => {
    for (let i = 0; i < PIXELS; i++) centroid[i]! /= Math.max(1, counts[label]!);
  });
  return (pixels) => indexOfMax(centroids.map((centroid) => -squaredDistance(pixels, centroid)));
}
