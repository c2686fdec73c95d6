import type { RolloutSpec } from '@app/shared';
import { type RolloutEnd, type RolloutRun, runRollout } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { exponential, lognormal, type Random } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import { arm, ERROR_RATE, MEDIAN_MS, rolloutSpec, SIGMA, traffic } from './scenarios.js';
import { mean, quantile, rateBelow, type RunFigures, standardError, type Study, thousands } from './study.js';
import type { ArmModel, TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { stickyUsers } from '../../../apps/evaluator/src/rehearsal/users.js';

const PER_SECOND = 500;
/** History of 12,500 predictions, but not more than ten minutes. */
const beforeS = (perSecond: number): number => Math.min(600, 12_500 / perSecond);

function rollOut(changes: Partial<RolloutRun> & { readonly seed: number }): RolloutEnd {
  return runRollout({
    spec: rolloutSpec(),
    traffic: traffic(PER_SECOND),
    beforeS: beforeS(PER_SECOND),
    longestS: 900,
    ...changes,
  });
}

/** Traffic in which nothing is the canary's fault: no rollback may come of it. */
function honest(name: string, run: Omit<Partial<RolloutRun>, 'seed'> | ((seed: number) => Partial<RolloutRun>)): Study {
  return {
    group: 'honest traffic',
    name,
    target: 'false FAIL below 1 %',
    runs: { short: 1, normal: 60, full: 1000 },
    chunk: 2,
    run: (seed) => {
      const end = rollOut({ ...(typeof run === 'function' ? run(seed) : run), seed });
      return { failed: end.end === 'rolled-back' ? 1 : 0, promoted: end.end === 'promoted' ? 1 : 0, atS: end.atS };
    },
    summarise: (runs) => {
      const { measured, ok } = rateBelow('failed', 0.01)(runs);
      return { measured: `${measured}; promoted ${runs.filter((r) => r['promoted'] === 1).length}`, ok };
    },
  };
}

/** Both arms alike, with another error rate over time. */
function bothArms(errorRate: (atS: number) => number, changes: Partial<ArmModel> = {}): TrafficModel {
  const one = arm({ errorRate: (atS, propensity) => Math.min(1, errorRate(atS) * propensity), ...changes });
  return traffic(PER_SECOND, { stable: one, canary: one });
}

/** A good answer takes `slowMs`, an error a tenth of it: by completion a slower canary looks worse. */
function slowAnswers(slowMs: number): Partial<ArmModel> {
  return {
    errorRate: () => 0.05,
    latencyMs: (random, _, failed) => (failed ? lognormal(random, slowMs / 10, 0.2) : lognormal(random, slowMs, 0.2)),
  };
}

const latencyOnly = (maxRatio: number): RolloutSpec['checks']['latency'] => ({
  p50: { maxRatio, minIncreaseMs: 5 },
  p99: { maxRatio, minIncreaseMs: 5 },
  strict: false,
});

function honestStudies(seedOf: (seed: number) => Random): Study[] {
  const checks = rolloutSpec().checks;
  const atLeast = { predictions: 1000, durationMs: 60_000 };
  const strictChecks: RolloutSpec['checks'] = {
    errorRate: { ...checks.errorRate!, strict: true },
    accuracy: { ...checks.accuracy!, strict: true },
    latency: { ...checks.latency!, strict: true },
  };
  const slowLabels = (delayMs: number): ArmModel['labels'] => ({
    share: 1,
    delayMs: (random) => exponential(random, delayMs),
  });
  const halfLate: Partial<ArmModel> = {
    errorRate: () => 0.05,
    latencyMs: (random, _, failed) => (failed && random() < 0.5 ? 5_000 : lognormal(random, MEDIAN_MS, SIGMA)),
  };
  return [
    honest('one router', {}),
    honest('five routers', { traffic: traffic(PER_SECOND, { routers: 5 }) }),
    honest('base rate drifts from 5 to 10 %', { traffic: bothArms((s) => 0.05 + 0.05 * clamp(s / 300)) }),
    honest('base rate jumps from 5 to .5 %', { traffic: bothArms((s) => (s < 60 ? 0.05 : 0.005)) }),
    honest('base rate jumps from 1 to 10 %', { traffic: bothArms((s) => (s < 60 ? 0.01 : 0.1)) }),
    honest('weights 1, 10, 50 % while the base rate doubles', {
      traffic: bothArms((s) => 0.05 + 0.05 * clamp(s / 300)),
      spec: rolloutSpec({
        steps: [0.01, 0.1, 0.5].map((v2) => ({ kind: 'traffic', weights: { v1: 1 - v2, v2 }, atLeast })),
      }),
    }),
    honest('2,000 sticky users, heavy-tailed, strict errors', (seed) => ({
      traffic: traffic(PER_SECOND, { users: stickyUsers(2000, seedOf(seed)) }),
      spec: rolloutSpec({ checks: { errorRate: strictChecks.errorRate! } }),
      neverPass: true,
      longestS: 200,
    })),
    honest('2,000 sticky users, 30 % of whom never label', (seed) => {
      const random = seedOf(seed);
      const users = stickyUsers(2000, random).map((user) => ({ ...user, propensity: 1, labels: random() < 0.7 }));
      return { traffic: traffic(PER_SECOND, { users }) };
    }),
    honest('canary 2 times slower, limit 3, errors equal', {
      traffic: traffic(PER_SECOND, { stable: arm(slowAnswers(2_000)), canary: arm(slowAnswers(4_000)) }),
      spec: rolloutSpec({ checks: { ...checks, latency: latencyOnly(3) } }),
      longestS: 300,
    }),
    honest('canary fails as often but faster', {
      traffic: traffic(PER_SECOND, {
        stable: arm(halfLate),
        canary: arm({ ...halfLate, latencyMs: (random) => lognormal(random, MEDIAN_MS, SIGMA) }),
      }),
      longestS: 300,
    }),
    honest('shared outage of 2 s', { traffic: bothArms((s) => (s >= 60 && s < 62 ? 1 : ERROR_RATE)) }),
    honest("canary's labels twice as slow", {
      traffic: traffic(PER_SECOND, {
        stable: arm({ labels: slowLabels(10_000) }),
        canary: arm({ labels: slowLabels(20_000) }),
      }),
    }),
    honest("canary's wrong labels twice as fast", {
      traffic: traffic(PER_SECOND, {
        stable: arm({ labels: slowLabels(20_000) }),
        canary: arm({ labels: { share: 1, delayMs: (random, wrong) => exponential(random, wrong ? 10_000 : 20_000) } }),
      }),
    }),
    honest('30 % of the labels missing', {
      traffic: traffic(PER_SECOND, { stable: arm({ labels: someLabels }), canary: arm({ labels: someLabels }) }),
    }),
    honest('bursts of 1 s, pauses of 9 s', {
      traffic: traffic(PER_SECOND, { rate: (s) => (mod(s, 10) < 1 ? PER_SECOND : 0), rateMax: PER_SECOND }),
      longestS: 1800,
      beforeS: 200,
    }),
    honest('5 predictions a second', { traffic: traffic(5), beforeS: 600, longestS: 7200 }),
    {
      ...honest('all checks strict and never passing', {
        spec: rolloutSpec({ checks: strictChecks }),
        neverPass: true,
        longestS: 400,
      }),
      target: '.35 % +- .13; below 1 %',
      runs: { short: 4, normal: 400, full: 8000 },
    },
  ];
}

const someLabels: ArmModel['labels'] = { share: 0.7, delayMs: (random) => exponential(random, 10_000) };
const clamp = (u: number): number => Math.max(0, Math.min(1, u));
const mod = (a: number, b: number): number => ((a % b) + b) % b;

/** How long a canary as good as stable needs to be promoted. */
function promotion(perSecond: number, wanted: string, runs: Study['runs'], changes: Partial<RolloutRun> = {}): Study {
  return {
    group: 'a good canary is promoted',
    name: `${perSecond.toLocaleString('en')} predictions a second${changes.spec ? ', labels within 30 min' : ''}`,
    target: wanted,
    runs,
    chunk: 1,
    run: (seed) =>
      figures(
        rollOut({ traffic: traffic(perSecond), beforeS: beforeS(perSecond), longestS: 30_000, ...changes, seed }),
      ),
    summarise: (ends) => {
      const promoted = ends.filter((end) => end['promoted'] === 1);
      if (promoted.length === 0) return { measured: 'none was promoted', ok: false };
      const minutes = mean(promoted, 'atS') / 60;
      const late = quantile(promoted, 'atS', 0.9) / 60;
      const measured = `${promoted.length} of ${ends.length} in ${minutes.toFixed(1)} min (90 %: ${late.toFixed(1)})`;
      return { measured, ok: promoted.length === ends.length };
    },
  };
}

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
}

function detection({ name, target, faultAtS, traffic: model, run = {}, show, canaryMost }: Fault): Study {
  return {
    group: 'a bad canary is rolled back',
    name,
    target,
    runs: { short: 3, normal: 40, full: 400 },
    chunk: 2,
    run: (seed) => figures(rollOut({ traffic: model, faultAtS, longestS: 3600, ...run, seed }), faultAtS),
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

function figures(end: RolloutEnd, faultAtS = 0): RunFigures {
  return {
    promoted: end.end === 'promoted' ? 1 : 0,
    failed: end.end === 'rolled-back' ? 1 : 0,
    atS: end.atS,
    afterS: end.atS - faultAtS,
    canarySent: end.canarySent,
    counted: end.counted,
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

function detectionStudies(): Study[] {
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
  const inBakeS = 900;
  const dead = (name: string, faultAtS: number, controlErrors: number, routers: number): Fault => ({
    name: `dead ${name}, control fails ${controlErrors === 0 ? 'never' : '2 %'}, ${routers === 1 ? 'one router' : 'five routers'}`,
    target: '<= 35 canary requests, .4 to .5 s',
    faultAtS,
    traffic: deadFrom(faultAtS, controlErrors, routers),
    run: { spec: holding },
    show: 'canary',
    canaryMost: 35,
  });
  return [
    dead('at once', 0, ERROR_RATE, 1),
    dead('after 100 s', 100, ERROR_RATE, 1),
    dead('after 100 s', 100, ERROR_RATE, 5),
    dead('after 100 s', 100, 0, 1),
    dead('after 900 s', 900, ERROR_RATE, 1),
    {
      ...dead('in the bake', inBakeS, ERROR_RATE, 1),
      target: '<= 150 canary requests, .25 s',
      canaryMost: 150,
      run: { spec: bakeOnly },
    },
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

/** The whole decision's figures of section 9. */
export function decisionStudies(seedOf: (seed: number) => Random): Study[] {
  const long = rolloutSpec();
  const lateLabels = rolloutSpec({
    checks: { ...long.checks, accuracy: { ...long.checks.accuracy!, labelsWithinMs: 1_800_000 } },
  });
  return [
    ...honestStudies(seedOf),
    promotion(50, '25 min', { short: 1, normal: 20, full: 200 }),
    promotion(500, '5.4 min', { short: 2, normal: 40, full: 400 }),
    promotion(5_000, '4 min', { short: 0, normal: 6, full: 40 }),
    promotion(5, '4.6 h', { short: 1, normal: 10, full: 100 }),
    promotion(500, '34 min', { short: 0, normal: 10, full: 100 }, { spec: lateLabels }),
    ...detectionStudies(),
  ];
}
