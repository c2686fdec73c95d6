import type { Degradation, RehearsalRequest, RehearsedTraffic } from '@app/shared';
import { exponential, lognormal, type Random } from './sampling.js';
import type { ArmModel, TrafficModel } from './traffic.js';
import { stickyUsers } from './users.js';

/** The 99 % quantile of the standard normal distribution. */
const Z99 = 2.326348;
/** What is dead answers at once. */
const REFUSED_AFTER_MS = 5;

/** Traffic of the kind that was asked for. `random` draws the users, if any come back. */
export function trafficModelOf({ traffic, canary }: RehearsalRequest, random: Random): TrafficModel {
  const { predictionsPerSecond, users } = traffic;
  return {
    rate: () => predictionsPerSecond,
    rateMax: predictionsPerSecond,
    routers: 1,
    stable: stableArm(traffic),
    canary: canaryArm(traffic, canary),
    ...(users === null ? {} : { users: stickyUsers(users, random) }),
  };
}

/** Lognormal latencies with these quantiles: sigma = ln(p99 / p50) / z(.99). */
export function latencySigma({ p50Ms, p99Ms }: RehearsedTraffic['latency']): number {
  return Math.log(p99Ms / p50Ms) / Z99;
}

function stableArm(traffic: RehearsedTraffic): ArmModel {
  const { errorRate, latency, accuracy, labelsAfterMs, labelsMissing } = traffic;
  const sigma = latencySigma(latency);
  return {
    errorRate: (_, propensity) => share(errorRate * propensity),
    latencyMs: (random) => lognormal(random, latency.p50Ms, sigma),
    wrongRate: () => 1 - accuracy,
    labels: { share: 1 - labelsMissing, delayMs: (random) => exponential(random, labelsAfterMs) },
  };
}

function canaryArm(traffic: RehearsedTraffic, { errors, accuracy, latencyRatio, deadAfterMs }: Degradation): ArmModel {
  const stable = stableArm(traffic);
  const deadAfterS = deadAfterMs === null ? Infinity : deadAfterMs / 1000;
  return {
    errorRate: (atS, propensity) => (atS >= deadAfterS ? 1 : share((traffic.errorRate + errors) * propensity)),
    latencyMs: (random, atS, failed) =>
      atS >= deadAfterS ? REFUSED_AFTER_MS : latencyRatio * stable.latencyMs(random, atS, failed),
    wrongRate: () => share(1 - traffic.accuracy - accuracy),
    labels: stable.labels,
  };
}

const share = (rate: number): number => Math.min(1, Math.max(0, rate));
