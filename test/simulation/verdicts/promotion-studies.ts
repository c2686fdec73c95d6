import type { RolloutRun } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { lognormal } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { ArmModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { beforeS, figures, PER_SECOND, rollOut } from './rollouts.js';
import { arm, MEDIAN_MS, rolloutSpec, traffic } from './scenarios.js';
import { mean, quantile, type RunFigures, type Study } from './study.js';

/** How long a canary as good as stable needs to be promoted. */
function promotion(perSecond: number, wanted: string, runs: Study['runs'], changes: Partial<RolloutRun> = {}): Study {
  return {
    group: 'a good canary is promoted',
    name: `${perSecond.toLocaleString('en')} predictions a second${changes.spec ? ', labels within 30 min' : ''}`,
    target: wanted,
    runs,
    chunk: 1,
    run: (of) =>
      figures(rollOut(of, { traffic: traffic(perSecond), beforeS: beforeS(perSecond), longestS: 30_000, ...changes })),
    summarise: promotedIn,
  };
}

/** How many were promoted, and how long it took. */
function promotedIn(ends: readonly RunFigures[]): { measured: string; ok: boolean } {
  const promoted = ends.filter((end) => end['promoted'] === 1);
  if (promoted.length === 0) return { measured: 'none was promoted', ok: false };
  const minutes = mean(promoted, 'atS') / 60;
  const late = quantile(promoted, 'atS', 0.9) / 60;
  const measured = `${promoted.length} of ${ends.length} in ${minutes.toFixed(1)} min (90 %: ${late.toFixed(1)})`;
  return { measured, ok: promoted.length === ends.length };
}

/** Both versions the same, whatever they are: how often and how soon that is seen. */
function equalArms(name: string, changes: Partial<ArmModel>): Study {
  const both = traffic(PER_SECOND, { stable: arm(changes), canary: arm(changes) });
  return {
    group: 'equal arms, the whole rollout at 500 predictions a second',
    name,
    target: 'all promoted',
    runs: { short: 1, normal: 12, full: 200 },
    chunk: 1,
    run: (of) => figures(rollOut(of, { traffic: both, longestS: 7200 })),
    summarise: promotedIn,
  };
}

function equalArmsStudies(): Study[] {
  return [
    ...[0, 0.0001, 0.002, 0.05, 0.2].map((rate) =>
      equalArms(`errors ${Number((100 * rate).toFixed(2))} %`, { errorRate: () => rate }),
    ),
    ...[0.25, 0.5, 1].map((sigma) =>
      equalArms(`latency sigma ${sigma}`, { latencyMs: (random) => lognormal(random, MEDIAN_MS, sigma) }),
    ),
    ...[0.8, 0.95, 0.99].map((right) => equalArms(`accuracy ${100 * right} %`, { wrongRate: () => 1 - right })),
  ];
}

/** How soon good canaries are promoted. */
export function promotionStudies(): Study[] {
  const long = rolloutSpec();
  const lateLabels = rolloutSpec({
    checks: { ...long.checks, accuracy: { ...long.checks.accuracy!, labelsWithinMs: 1_800_000 } },
  });
  return [
    promotion(50, '25 min', { short: 1, normal: 20, full: 200 }),
    promotion(500, '5.4 min', { short: 2, normal: 40, full: 400 }),
    promotion(5_000, '4 min', { short: 0, normal: 6, full: 40 }),
    promotion(5, '4.6 h', { short: 1, normal: 10, full: 100 }),
    promotion(500, '34 min', { short: 0, normal: 10, full: 100 }, { spec: lateLabels }),
    ...equalArmsStudies(),
  ];
}
