import { type Parsed, parseWeights, type Weights } from '@app/shared';

/** Weights are compared in basis points: fractions that travelled through JSON need not be equal to the last bit. */
const BASIS_POINTS = 10_000;

/** The same weights over all of `versions`: those without traffic are named with 0. */
export function completeWeights(weights: Weights, versions: readonly string[]): Record<string, number> {
  const all = new Set([...versions, ...Object.keys(weights)]);
  return Object.fromEntries([...all].map((version) => [version, weights[version] ?? 0]));
}

/** Whether two sets of weights send the same traffic the same way; a version that is not named has 0. */
export function sameWeights(a: Weights, b: Weights): boolean {
  const versions = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...versions].every((version) => basisPoints(a[version] ?? 0) === basisPoints(b[version] ?? 0));
}

/** Weights set by hand; versions that are not named get nothing. Refusals say what to write instead. */
export function parseTraffic(input: unknown, known: readonly string[]): Parsed<Weights> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return parseWeights(input, known);
  return parseWeights({ ...completeWeights({}, known), ...input }, known);
}

function basisPoints(weight: number): number {
  return Math.round(weight * BASIS_POINTS);
}
