import { type Digit, SIDE } from '../digits.js';
import { gaussian, type Random, seededRandom } from '../seeded-random.js';
import { trainNearestCentroid } from './nearest-centroid.js';
import { trainNearestNeighbours } from './nearest-neighbours.js';
import { classOf, margin, trainRandomFeatures } from './random-features.js';

export const VERSIONS = ['v1', 'v2', 'v3', 'v4'] as const;
export type Version = (typeof VERSIONS)[number];

export interface Answer {
  readonly digit: number;
  /** How long the answer is held back, for what is not done in this process: a network, a larger model, a search. */
  readonly delayMs: number;
}

/** A version of the model `digits`. */
export interface DigitModel {
  readonly version: Version;
  /** For a person, a few words. */
  readonly description: string;
  predict(pixels: Float32Array): Answer;
}

/** Of every version: lognormal, so that a busy machine's own hiccups do not make the latencies. */
const USUAL_MS = { median: 15, sigma: 0.35 };
/**
 * Of v4: the share of training pictures that count as unclear (of new ones up to half as many again do), and what its
 * second opinion on those costs.
 */
const UNCLEAR_SHARE = 0.065;
const SECOND_OPINION_MS = { least: 400, spread: 300 };

/** Trains all versions, in well under a second. The same seed gives the same models. */
export function trainVersions(training: readonly Digit[], seed: number): readonly DigitModel[] {
  const centroid = trainNearestCentroid(training);
  const score = trainRandomFeatures(training, seededRandom(seed));
  const neighbours = trainNearestNeighbours(training);
  const unclearBelow = quantile(
    training.map(({ pixels }) => margin(score(pixels))),
    UNCLEAR_SHARE,
  );
  const random = seededRandom(seed);
  const usualMs = (): number => USUAL_MS.median * Math.exp(USUAL_MS.sigma * gaussian(random));
  return [
    {
      version: 'v1',
      description: 'nearest centroid',
      predict: (pixels) => ({ digit: centroid(pixels), delayMs: usualMs() }),
    },
    {
      version: 'v2',
      description: 'ridge regression on random features',
      predict: (pixels) => ({ digit: classOf(score(pixels)), delayMs: usualMs() }),
    },
    {
      version: 'v3',
      description: 'v2 behind a preprocessing step that crops one pixel too far',
      predict: (pixels) => ({ digit: classOf(score(cropOnePixelTooFar(pixels))), delayMs: usualMs() }),
    },
    {
      version: 'v4',
      description: 'v2 with a slow second opinion on unclear pictures',
      predict: (pixels) => {
        const scores = score(pixels);
        if (margin(scores) >= unclearBelow) return { digit: classOf(scores), delayMs: usualMs() };
        return { digit: neighbours(pixels), delayMs: secondOpinionMs(random) };
      },
    },
  ];
}

const secondOpinionMs = (random: Random): number => SECOND_OPINION_MS.least + random() * SECOND_OPINION_MS.spread;

/** An off-by-one in the crop window: every picture sits one pixel too far to the right and below. */
function cropOnePixelTooFar(pixels: Float32Array): Float32Array {
  const cropped = new Float32Array(pixels.length);
  for (let y = 1; y < SIDE; y++) for (let x = 1; x < SIDE; x++) cropped[y * SIDE + x] = pixels[(y - 1) * SIDE + x - 1]!;
  return cropped;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * sorted.length)] ?? 0;
}
