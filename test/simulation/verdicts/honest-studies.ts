import type { RolloutSpec } from '@app/shared';
import type { RolloutRun } from '../../../apps/evaluator/src/rehearsal/rollout-run.js';
import { exponential, lognormal, type Random } from '../../../apps/evaluator/src/rehearsal/sampling.js';
import type { ArmModel, TrafficModel } from '../../../apps/evaluator/src/rehearsal/traffic.js';
import { stickyUsers } from '../../../apps/evaluator/src/rehearsal/users.js';
import { figures, PER_SECOND, rollOut } from './rollouts.js';
import { arm, ERROR_RATE, MEDIAN_MS, rolloutSpec, SIGMA, traffic } from './scenarios.js';
import { rateBelow, type Study } from './study.js';

/** Traffic in which nothing is the canary's fault: no rollback may come of it. */
function honest(name: string, run: Omit<Partial<RolloutRun>, 'seed'> | ((seed: number) => Partial<RolloutRun>)): Study {
  return {
    group: 'honest traffic',
    name,
    target: 'false FAIL below 1 %',
    runs: { short: 1, normal: 60, full: 1000 },
    chunk: 2,
    run: (of) => figures(rollOut(of, typeof run === 'function' ? run(of.seed) : run)),
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

/** Scenarios that other methods roll good canaries back in. */
export function honestStudies(seedOf: (seed: number) => Random): Study[] {
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
