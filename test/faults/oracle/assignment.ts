import xxhash from 'xxhash-wasm';
import type { Weights } from '@app/shared';

const { h32 } = await xxhash();
const POINTS = 10_000;

/** Who gets a user, by the rule that the README gives to everybody: a point of the hash, the canary's points first. */
export function versionOf(
  user: string,
  { salt, weights, stable, canary }: { salt: string; weights: Weights; stable: string | null; canary: string | null },
): string | null {
  const point = Math.floor((h32(`v1:${salt}:${user}`, 0) / 2 ** 32) * POINTS);
  const rank = (version: string): number => (version === canary ? 0 : version === stable ? 2 : 1);
  const versions = Object.keys(weights)
    .filter((version) => Math.round(weights[version]! * POINTS) > 0)
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  let end = 0;
  for (const version of versions) {
    end += Math.round(weights[version]! * POINTS);
    if (point < end) return version;
  }
  return versions.at(-1) ?? null;
}
