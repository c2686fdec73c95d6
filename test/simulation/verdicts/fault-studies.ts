import type { RolloutSpec } from '@app/shared';
import type { RolloutRun } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { lognormal, type Random } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { runs } from '../../fixtures/thorough.js';
import { figures, PER_SECOND, rollOut } from './rollouts.js';
import { arm, ERROR_RATE, MEDIAN_MS, rolloutSpec, SIGMA, traffic } from './scenarios.js';
import { mean, quantile, standardError, type Study, thousands } from './study.js';

/** By then every rollout has come to its bake, which then lasts an hour. */
const IN_BAKE_S = 900;

/**
 * At most ln 1.95 a prediction against the fresh start's weight of 1/7 1/((m+1)(m+2)), the share 1/4 of the ceilings and
 * the prior 1/4: 25 predictions after 100 s, 31 after 900 s; buckets of 100 ms, told of 50 ms later, and cuts of 50 ms add some ten.
 */
const CEILING_ALONE =
  'the ceiling decides alone: where control never fails, the limit in odds is some 200 and the kernel cannot tell';

/** How soon a canary that is bad from `faultAtS` on is rolled back. */
interface Fault {
  readonly name: string;
  readonly target: string;
  readonly faultAtS: number;
  readonly traffic: TrafficModel;
  readonly run?: Partial<RolloutRun>;
  readonly show: 'canary' | 'counted' | 'seconds';
  /** Mean canary predictions may not be more. */
  readonly canaryMost?: number;
  readonly missedBecause?: string;
}

function detection({
  name,
  target,
  faultAtS,
  traffic: model,
  run = {},
  show,
  canaryMost,
  missedBecause,
}: Fault): Study {
  return {
    group: 'a bad canary is rolled back',
    name,
    target,
    ...(missedBecause ? { missedBecause } : {}),
    // A mean that is held against a bound wants more than one.
    runs: { short: canaryMost !== undefined && !missedBecause ? runs(3, 2) : 1, normal: 40, full: 400 },
    chunk: 2,
    run: (of) => figures(rollOut(of, { traffic: model, faultAtS, longestS: 3600, ...run }), faultAtS),
    summarise: (ends) => {
      const failed = ends.filter((end) => end['failed'] === 1);
      const early = failed.filter((end) => end['afterS']! < 0).length;
      const canary = mean(failed, 'canarySent');
      const error = 2 * standardError(failed, 'canarySent');
      const text = {
        canary: `${canary.toFixed(0)} canary requests (most ${quantile(failed, 'canarySent', 1)}), ${mean(failed, 'afterS').toFixed(2)} s`,
        counted: `${thousands(mean(failed, 'counted'))} counted requests`,
        seconds: `${mean(failed, 'afterS').toFixed(1)} s (90 %: ${quantile(failed, 'afterS', 0.9).toFixed(1)})`,
      }[show];
      const all = failed.length === ends.length && early === 0;
      const measured = `${failed.length} of ${ends.length}${early > 0 ? `, ${early} too early` : ''}: ${text}`;
      return { measured, ok: all && (canaryMost === undefined || canary - error <= canaryMost) };
    },
  };
}

function deadFrom(atS: number, controlErrors: number, routers = 1): TrafficModel {
  const stable = arm({ errorRate: () => controlErrors });
  const canary = arm({
    errorRate: (s) => (s >= atS ? 1 : controlErrors),
    latencyMs: (random, s) => (s >= atS ? 5 : lognormal(random, MEDIAN_MS, SIGMA)),
  });
  return traffic(PER_SECOND, { stable, canary, routers });
}

/** How soon bad canaries are rolled back. */
export function faultStudies(): Study[] {
  const spec = rolloutSpec();
  const holding = rolloutSpec({
    steps: [{ ...spec.steps[0]!, atLeast: { predictions: 1e9, durationMs: 60_000 } } as RolloutSpec['steps'][0]],
  });
  const noWarmup = { predictions: 0, durationMs: 0 };
  const worse = (extra: number, fromS = 0): TrafficModel =>
    traffic(PER_SECOND, { canary: arm({ errorRate: (s) => ERROR_RATE + (s >= fromS ? extra : 0) }) });
  const strictErrors = rolloutSpec({
    ...holding,
    warmup: noWarmup,
    checks: { ...spec.checks, errorRate: { ...spec.checks.errorRate!, strict: true } },
  });
  const limitErrors = rolloutSpec({ ...holding, warmup: noWarmup });
  const bakeOnly = rolloutSpec({
    steps: [
      spec.steps[1]!,
      { ...spec.steps[2]!, atLeast: { predictions: 0, durationMs: 3_600_000 } } as RolloutSpec['steps'][0],
    ],
  });
  const dead = (name: string, faultAtS: number, controlErrors: number, routers: number): Fault => ({
    name: `dead ${name}, control fails ${controlErrors === 0 ? 'never' : '2 %'}, ${routers === 1 ? 'one router' : 'five routers'}`,
    target: '<= 35 canary requests, .4 to .5 s',
    faultAtS,
    traffic: deadFrom(faultAtS, controlErrors, routers),
    run: { spec: holding },
    show: 'canary',
    canaryMost: 35,
    ...(controlErrors === 0 && faultAtS > 0 ? { missedBecause: CEILING_ALONE } : {}),
  });
  const deadFaults = (control: number, routers: number): Fault[] => [
    dead('at once', 0, control, routers),
    dead('after 100 s', 100, control, routers),
    dead('after 900 s', 900, control, routers),
    {
      ...dead('in the bake', IN_BAKE_S, control, routers),
      target: '<= 150 canary requests, .25 s',
      canaryMost: 150,
      run: { spec: bakeOnly },
    },
  ];
  return [
    ...[ERROR_RATE, 0].flatMap((control) => [1, 5].flatMap((routers) => deadFaults(control, routers))),
    {
      name: 'hangs after 100 s',
      target: '.5 s',
      faultAtS: 100,
      traffic: traffic(PER_SECOND, {
        canary: arm({
          errorRate: (s) => (s >= 100 ? 1 : ERROR_RATE),
          latencyMs: (random, s) => (s >= 100 ? 10_000 : lognormal(random, MEDIAN_MS, SIGMA)),
        }),
      }),
      run: { spec: holding },
      show: 'canary' as const,
    },
    {
      name: 'errors +1 point, strict',
      target: '41k',
      faultAtS: 0,
      traffic: worse(0.01),
      run: { spec: strictErrors },
      show: 'counted' as const,
    },
    {
      name: 'errors +5 points, strict',
      target: '2.95k',
      faultAtS: 0,
      traffic: worse(0.05),
      run: { spec: strictErrors },
      show: 'counted' as const,
    },
    {
      name: 'errors +2 points over a limit of 1',
      target: '79k',
      faultAtS: 0,
      traffic: worse(0.02),
      run: { spec: limitErrors },
      show: 'counted' as const,
    },
    {
      name: 'errors +5 points after 600 s, limit 1',
      target: '33 s',
      faultAtS: 600,
      traffic: worse(0.05, 600),
      run: { spec: holding },
      show: 'seconds' as const,
    },
    {
      name: 'p99 x 1.5 in the tail',
      target: '28k',
      faultAtS: 0,
      traffic: traffic(PER_SECOND, { canary: arm({ latencyMs: slowTail }) }),
      run: { spec: limitErrors },
      show: 'counted' as const,
    },
    {
      name: 'accuracy -5 points with a limit of 2',
      target: '150 s',
      faultAtS: 0,
      traffic: traffic(PER_SECOND, { canary: arm({ wrongRate: () => 0.15 }) }),
      run: { spec: holding },
      show: 'seconds' as const,
    },
  ].map(detection);
}

/** The slowest 5 % take half as long again. */
function slowTail(random: Random): number {
  const ms = lognormal(random, MEDIAN_MS, SIGMA);
  return ms > MEDIAN_MS * Math.exp(1.645 * SIGMA) ? ms * 1.5 : ms;
}
