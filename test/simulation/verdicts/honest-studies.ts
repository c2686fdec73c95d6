import type { RolloutSpec } from '@app/shared';
import type { RolloutRun } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { exponential, lognormal, type Random } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { ArmModel, TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { stickyUsers } from '../../../apps/evaluator/src/rehearsal/users.js';
import { figures, PER_SECOND, rollOut } from './rollouts.js';
import { arm, ERROR_RATE, MEDIAN_MS, rolloutSpec, SIGMA, traffic } from './scenarios.js';
import { rateBelow, type Study } from './study.js';

type Changes = Omit<Partial<RolloutRun>, 'seed'>;
type ChangesOf = Changes | ((seed: number) => Changes);
const changesFor = (changes: ChangesOf, seed: number): Changes =>
  typeof changes === 'function' ? changes(seed) : changes;

/** Traffic in which nothing is the canary's fault: no rollback may come of it. */
function honest(name: string, changes: ChangesOf): Study {
  return {
    group: 'honest traffic',
    name,
    target: 'false FAIL below 1 %',
    runs: { short: 1, normal: 60, full: 1000 },
    chunk: 2,
    run: (of) => figures(rollOut(of, changesFor(changes, of.seed))),
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

/** The same traffic under one check alone, at its hardest: strict, and (but where weights have to change) it never passes. */
function oneCheck({ name, changes, check, passes = false }: Scenario): Study {
  const strict = { ...rolloutSpec().checks[check]!, strict: true };
  return {
    ...honest(`${name}, ${check} alone`, (seed) => {
      const run = changesFor(changes, seed);
      const spec = rolloutSpec({ ...run.spec, checks: { [check]: strict } });
      return { ...run, spec, neverPass: !passes, longestS: Math.max(ONE_CHECK_S, run.beforeS ?? 0) };
    }),
    group: 'honest traffic, one strict check that never passes',
    runs: { short: 0, normal: 40, full: 1000 },
  };
}
const ONE_CHECK_S = 200;

/** Traffic that other methods roll good canaries back in, and the check that it would mislead. */
interface Scenario {
  readonly name: string;
  readonly changes: ChangesOf;
  readonly check: 'errorRate' | 'accuracy';
  readonly passes?: boolean;
}

const latencyOnly = (maxRatio: number): RolloutSpec['checks']['latency'] => ({
  p50: { maxRatio, minIncreaseMs: 5 },
  p99: { maxRatio, minIncreaseMs: 5 },
  strict: false,
});

const slowLabels = (delayMs: number): ArmModel['labels'] => ({
  share: 1,
  delayMs: (random) => exponential(random, delayMs),
});

const halfLate: Partial<ArmModel> = {
  errorRate: () => 0.05,
  latencyMs: (random, _, failed) => (failed && random() < 0.5 ? 5_000 : lognormal(random, MEDIAN_MS, SIGMA)),
};

function errorScenarios(seedOf: (seed: number) => Random): Scenario[] {
  const { checks } = rolloutSpec();
  const atLeast = { predictions: 1000, durationMs: 60_000 };
  const on = (name: string, changes: ChangesOf, passes = false): Scenario => ({
    name,
    changes,
    check: 'errorRate',
    passes,
  });
  return [
    on('one router', {}),
    on('five routers', { traffic: traffic(PER_SECOND, { routers: 5 }) }),
    on('base rate drifts from 5 to 10 %', { traffic: bothArms((s) => 0.05 + 0.05 * clamp(s / 300)) }),
    on('base rate jumps from 5 to .5 %', { traffic: bothArms((s) => (s < 60 ? 0.05 : 0.005)) }),
    on('base rate jumps from 1 to 10 %', { traffic: bothArms((s) => (s < 60 ? 0.01 : 0.1)) }),
    on(
      'weights 1, 10, 50 % while the base rate doubles',
      {
        traffic: bothArms((s) => 0.05 + 0.05 * clamp(s / 300)),
        spec: rolloutSpec({
          steps: [0.01, 0.1, 0.5].map((v2) => ({ kind: 'traffic', weights: { v1: 1 - v2, v2 }, atLeast })),
        }),
      },
      true,
    ),
    on('2,000 sticky users, heavy-tailed', (seed) => ({
      traffic: traffic(PER_SECOND, { users: stickyUsers(2000, seedOf(seed)) }),
    })),
    on('canary 2 times slower, limit 3, errors equal', {
      traffic: traffic(PER_SECOND, { stable: arm(slowAnswers(2_000)), canary: arm(slowAnswers(4_000)) }),
      spec: rolloutSpec({ checks: { ...checks, latency: latencyOnly(3) } }),
      longestS: 300,
    }),
    on('canary fails as often but faster', {
      traffic: traffic(PER_SECOND, {
        stable: arm(halfLate),
        canary: arm({ ...halfLate, latencyMs: (random) => lognormal(random, MEDIAN_MS, SIGMA) }),
      }),
      longestS: 300,
    }),
    on('shared outage of 2 s', { traffic: bothArms((s) => (s >= 60 && s < 62 ? 1 : ERROR_RATE)) }),
    on('bursts of 1 s, pauses of 9 s', {
      traffic: traffic(PER_SECOND, { rate: (s) => (mod(s, 10) < 1 ? PER_SECOND : 0), rateMax: PER_SECOND }),
      longestS: 1800,
      beforeS: 200,
    }),
    on('5 predictions a second', { traffic: traffic(5), beforeS: 600, longestS: 7200 }),
  ];
}

function labelScenarios(seedOf: (seed: number) => Random): Scenario[] {
  const on = (name: string, changes: ChangesOf): Scenario => ({ name, changes, check: 'accuracy' });
  return [
    on('2,000 sticky users, 30 % of whom never label', (seed) => {
      const random = seedOf(seed);
      const users = stickyUsers(2000, random).map((user) => ({ ...user, propensity: 1, labels: random() < 0.7 }));
      return { traffic: traffic(PER_SECOND, { users }) };
    }),
    on("canary's labels twice as slow", {
      traffic: traffic(PER_SECOND, {
        stable: arm({ labels: slowLabels(10_000) }),
        canary: arm({ labels: slowLabels(20_000) }),
      }),
    }),
    on("canary's wrong labels twice as fast", {
      traffic: traffic(PER_SECOND, {
        stable: arm({ labels: slowLabels(20_000) }),
        canary: arm({ labels: { share: 1, delayMs: (random, wrong) => exponential(random, wrong ? 10_000 : 20_000) } }),
      }),
    }),
    on('30 % of the labels missing', {
      traffic: traffic(PER_SECOND, { stable: arm({ labels: someLabels }), canary: arm({ labels: someLabels }) }),
    }),
  ];
}

const someLabels: ArmModel['labels'] = { share: 0.7, delayMs: (random) => exponential(random, 10_000) };
const clamp = (u: number): number => Math.max(0, Math.min(1, u));
const mod = (a: number, b: number): number => ((a % b) + b) % b;

/** How often good canaries are rolled back: whole rollouts of three steps and all checks, and one check alone. */
export function honestStudies(seedOf: (seed: number) => Random): Study[] {
  const scenarios = [...errorScenarios(seedOf), ...labelScenarios(seedOf)];
  const { errorRate, accuracy, latency } = rolloutSpec().checks;
  const strict = { strict: true };
  const strictChecks: RolloutSpec['checks'] = {
    errorRate: { ...errorRate!, ...strict },
    accuracy: { ...accuracy!, ...strict },
    latency: { ...latency!, ...strict },
  };
  return [
    ...scenarios.map(({ name, changes }) => honest(name, changes)),
    {
      ...honest('all checks strict and never passing', {
        spec: rolloutSpec({ checks: strictChecks }),
        neverPass: true,
        longestS: 400,
      }),
      target: '.35 % +- .13; below 1 %',
      runs: { short: 4, normal: 400, full: 8000 },
    },
    ...scenarios.map(oneCheck),
  ];
}
