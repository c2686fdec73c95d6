import { PASS_GRID } from './kernel.js';

/** What a PASS check still waits for, if the canary is no different from control. */
export interface PassOutlook {
  /** ln E for PASS now, and what it must reach: ln(1/beta). */
  readonly lnE: number;
  readonly lnWanted: number;
  /** Shares of bad ones to be expected of control, and of a canary that is no different. */
  readonly p0: number;
  readonly p1: number;
  /** The line in odds. */
  readonly line: number;
  /** Control predictions per canary prediction. */
  readonly ratio: number;
  /** Sticky-user correction. */
  readonly d: number;
  /** The absolute limit, where the floor counts too. */
  readonly floorLimit: number | null;
}

/**
 * Canary predictions still to go until PASS, if there is no true difference; 0 if there is nothing to wait for, null if
 * evidence does not grow at this rate.
 */
export function predictionsToGo(outlook: PassOutlook): number | null {
  const missing = outlook.lnWanted - outlook.lnE;
  if (missing <= 0) return 0;
  const { d, floorLimit } = outlook;
  const growth = Math.max(passGrowth(outlook) / d, floorLimit === null ? 0 : floorGrowth(outlook.p1, floorLimit));
  if (!(growth > GROWTH_LEAST)) return null;
  const togo = Math.ceil(missing / growth);
  return Number.isSafeInteger(togo) ? togo : null;
}

/** Below this many nats a prediction a pass would take more than a billion of them. */
const GROWTH_LEAST = 3e-9;

/**
 * Expected growth of the best alternative of the PASS kernel per canary prediction, in the limit of large buckets:
 * p1 ln g - [L(o g) - L(o)], with L(o) = max over the canary's share u of the entropy of the split + u ln o.
 */
function passGrowth({ p0, p1, line, ratio }: PassOutlook): number {
  const total = p1 + ratio * p0;
  if (!(ratio > 0 && total > 0 && total < 1 + ratio)) return 0;
  const base = splitLogSum(line, total, ratio);
  let best = 0;
  const { g, lnG } = PASS_GRID;
  for (let k = 0; k < g.length; k++)
    best = Math.max(best, p1 * lnG[k]! - splitLogSum(line * g[k]!, total, ratio) + base);
  return best;
}

/** L(o) for one canary prediction and `ratio` of control, `total` of them bad. */
function splitLogSum(o: number, total: number, ratio: number): number {
  const a = o - 1;
  const b = -(o * (1 + total) + ratio - total);
  const c = o * total;
  const u = Math.abs(a) < 1e-12 ? -c / b : (-b - Math.sqrt(b * b - 4 * a * c)) / (2 * a);
  return entropy(u) + ratio * entropy((total - u) / ratio) + u * Math.log(o);
}

function entropy(u: number): number {
  return u <= 0 || u >= 1 ? 0 : -u * Math.log(u) - (1 - u) * Math.log1p(-u);
}

/** The same of the floor's best alternative. */
function floorGrowth(p: number, d: number): number {
  let best = 0;
  for (const c of [0, 0.1, 0.25, 0.5]) {
    if (c === 0 && p > 0) continue;
    const bad = p === 0 ? 0 : p * Math.log(c);
    best = Math.max(best, bad + (1 - p) * (Math.log1p(-c * d) - Math.log1p(-d)));
  }
  return best;
}
