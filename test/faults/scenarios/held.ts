import { median } from './figures.js';

/** How much of something is held, over a run: in the middle of its second third, of its last, and how fast it rises. */
export interface Held {
  readonly what: string;
  readonly middle: number;
  readonly last: number;
  /** By least squares over both thirds, for each unit that they go along. */
  readonly slope: number;
  readonly grows: boolean;
}

/** What is held in the last third may be so much more than in the one before. */
const GROWTH = { share: 0.05, mib: 4, count: 10 } as const;
const mayGrow = (middle: number): number => middle * GROWTH.share + GROWTH.mib;

interface Rule {
  readonly typical: (values: readonly number[]) => number;
  /** More than the middle may have become. */
  readonly allowed: (middle: number) => number;
}

/** Resident memory, MiB. */
export const MEMORY: Rule = { typical: median, allowed: mayGrow };

/** Memory in use, MiB, where garbage is collected all the time: what is left of it is the least that was seen. */
export const IN_USE: Rule = { typical: (values) => Math.min(...values), allowed: mayGrow };

/**
 * Connections and all that comes and goes with what is asked: the most and the middle of them say little. What leaks is
 * there at every moment.
 */
export const COUNT: Rule = { typical: (values) => Math.min(...values), allowed: () => GROWTH.count };

/** The first third is what it takes to settle. `along`: what samples are taken along, for the slope: hours, or so. */
export function heldOver<T>(
  what: string,
  samples: readonly T[],
  { of, along, rule }: { of: (sample: T) => number; along: (sample: T) => number; rule: Rule },
): Held {
  const [middle, last] = ([1, 2] as const).map((which) => rule.typical(third(samples, which).map(of))) as [number, number]; // prettier-ignore
  const settled = samples.slice(Math.floor(samples.length / 3));
  const slope = slopeOf(settled.map((sample) => ({ x: along(sample), y: of(sample) })));
  return { what, middle, last, slope, grows: last > middle + rule.allowed(middle) };
}

/** The second or the last third. */
export const third = <T>(list: readonly T[], which: 1 | 2): readonly T[] =>
  list.slice(Math.floor((list.length * which) / 3), Math.floor((list.length * (which + 1)) / 3));

/** By least squares; NaN of fewer than two. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const n = points.length;
  if (n < 2) return NaN;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / n;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / n;
  const above = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return above / below;
}
