import { errorCeiling, lnShareEvidence } from '../../../apps/evaluator/src/domain/verdict/ceiling.js';
import { FreshStarts } from '../../../apps/evaluator/src/domain/verdict/fresh-starts.js';
import { lnHalf } from '../../../apps/evaluator/src/domain/verdict/kernel.js';
import { seededRandom } from '../../fixtures/seeded-random.js';
import { quantile, type Study } from './study.js';

const CANARY_PER_SECOND = 50;
/** Of checks for errors, ceilings and latency. */
const OMEGA = 1 / 3;
const LN_100 = Math.log(100);
const CEILING = errorCeiling(0.5);

/**
 * Seconds from `faultAtS`, when a canary begins to fail everything, until the formulas say FAIL, were each of its
 * answers known at once: no bucket, no cut, no network. Stable never fails, so the ceiling is all there is to go by.
 */
function secondsToFail(faultAtS: number): number {
  const starts = new FreshStarts(2);
  const evidence = (sums: Float64Array, from: number): number => lnShareEvidence(CEILING, sums[from]!, sums[from + 1]!);
  for (let answer = 0; ; answer++) {
    const atS = (answer + 0.5) / CANARY_PER_SECOND;
    starts.add(1000 * atS, Float64Array.of(1, atS < faultAtS ? 0 : 1));
    if (atS < faultAtS) continue;
    const lnCumulative = evidence(starts.sums, 0);
    const lnFail = lnHalf(lnCumulative, starts.lnFresh(evidence, lnCumulative));
    if (Math.log(OMEGA) + lnFail >= LN_100) return atS - faultAtS;
  }
}

/** How much of the time to a decision is the formulas' own, where they have the ceiling alone to go by. */
export function onsetStudies(): Study[] {
  return [1, 100, 900].map((fromS) => ({
    group: 'a bad canary is rolled back',
    name: `refuses from second ${fromS} on, control fails never, told at once: p50 / p99`,
    target: 'p99 <= 1 s',
    missedBecause: 'a start begins each second, and needs 19 to 31 answers, one each 20 ms',
    runs: { short: 50, normal: 1000, full: 10_000 },
    chunk: 100,
    run: ({ seed }) => ({ seconds: secondsToFail(fromS + seededRandom(seed)()) }),
    summarise: (ends) => {
      const p99 = quantile(ends, 'seconds', 0.99);
      return { measured: `${quantile(ends, 'seconds', 0.5).toFixed(2)} / ${p99.toFixed(2)} s`, ok: p99 <= 1 };
    },
  }));
}
