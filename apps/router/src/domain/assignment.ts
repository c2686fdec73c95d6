import { xxh32 } from './hash.js';

/** Weights are held in basis points: 10,000 points are all the traffic. */
export const POINTS = 10_000;
/** Users are also put into this many groups, by another hash, so that a verdict can see how much users differ. */
export const USER_GROUPS = 64;

const ASSIGNMENT_VERSION = 'v1';
const GROUP_SEED = 0x6d63_7531;
const TWO_TO_32 = 0x1_0000_0000;

/**
 * The point of a user in a rollout, 0..9999: floor(10,000 x XXH32("v1:<salt>:<unit>", seed 0) / 2^32). It depends on
 * nothing else, so every router gives the same, and a new salt deals the users anew.
 */
export function assignmentPoint(salt: string, unit: string): number {
  return Math.floor((xxh32(`${ASSIGNMENT_VERSION}:${salt}:${unit}`) / TWO_TO_32) * POINTS);
}

/** Group of a user, 0..63: the top six bits of XXH32(unit) under a seed of its own; independent of any rollout. */
export function userGroup(unit: string): number {
  return xxh32(unit, GROUP_SEED) >>> 26;
}

/** One version with a share of the traffic: it owns the points from the arm before it up to `endPoint`, exclusive. */
export interface Arm {
  readonly version: string;
  readonly endPoint: number;
}

/**
 * Deals the points out: the canary first, then the others by name, stable last, each cumulative. So the canary owns
 * [0, weight) and a user on it stays there while the weight only rises. Versions without weight own nothing; what
 * rounding leaves over belongs to the last arm.
 */
export function dealPoints(
  weights: Readonly<Record<string, number>>,
  roles: { readonly stable: string; readonly canary?: string },
): readonly Arm[] {
  const order = (version: string): number => (version === roles.canary ? 0 : version === roles.stable ? 2 : 1);
  const versions = Object.keys(weights)
    .filter((version) => Math.round(weights[version]! * POINTS) > 0)
    .sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  const arms: Arm[] = [];
  let endPoint = 0;
  for (const version of versions) {
    endPoint = version === versions.at(-1) ? POINTS : endPoint + Math.round(weights[version]! * POINTS);
    arms.push({ version, endPoint: Math.min(endPoint, POINTS) });
  }
  return arms.length > 0 ? arms : [{ version: roles.stable, endPoint: POINTS }];
}

/** Index of the arm that owns a point. */
export function armOfPoint(arms: readonly Arm[], point: number): number {
  for (let i = 0; i < arms.length; i++) if (point < arms[i]!.endPoint) return i;
  return arms.length - 1;
}
