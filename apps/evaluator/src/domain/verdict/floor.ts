import { lnAdd } from './kernel.js';

/** Shares of the limit at which the canary might really be. */
const SHARES = [0, 0.1, 0.25, 0.5];

/**
 * The floor of PASS for an absolute limit d: beyond the limit the canary's rate is above d whatever control's is, so
 * E = 1/4 sum_k c_k^x1 ((1 - c_k d)/(1 - d))^(n1-x1), of the canary alone, is an e-process against that. Where nothing
 * is bad on either side the odds say nothing, and this does.
 *
 * @returns ln E; 0 for no predictions.
 */
export function lnFloor(n1: number, x1: number, d: number): number {
  let sum = -Infinity;
  for (const c of SHARES) {
    if (c === 0 && x1 > 0) continue;
    const bad = x1 === 0 ? 0 : x1 * Math.log(c);
    sum = lnAdd(sum, bad + (n1 - x1) * (Math.log1p(-c * d) - Math.log1p(-d)));
  }
  return sum - Math.log(SHARES.length);
}
