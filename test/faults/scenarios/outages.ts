import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import type { LocalServer } from '../../../deploy/local/local-server.js';
import { Metrics } from '../world/metrics.js';
import { comesTrue } from '../world/settle.js';
import { quantile } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';
import { runTraffic, type Traffic, type TrafficResult } from './traffic-run.js';

export const OUTAGES = ['kafka', 'redis', 'flush'] as const;
export type Outage = (typeof OUTAGES)[number];

export interface OutagesOptions {
  readonly outage: Outage;
  readonly times: number;
  readonly predictionsPerSecond: number;
  readonly seed: number;
}

const MODELS = 2;
/** How soon everything has to be as before, once the server is there again. */
const HEAL_MS_MAX = 30_000;
/** After that it is a failure, and the next one begins all the same. */
const GIVE_UP_MS = 90_000;
const DOWN_MS = [500, 3_000] as const;
const BETWEEN_MS = [500, 3_000] as const;
const WHAT: Readonly<Record<Outage, string>> = {
  kafka: 'Kafka killed and restarted',
  redis: 'Redis killed and restarted empty',
  flush: 'FLUSHALL',
};

/** The same outage again and again under traffic; each heals by itself, and nothing is lost, doubled or decided otherwise. */
export async function runOutages(options: OutagesOptions, context: ScenarioContext): Promise<ScenarioResult> {
  const { say, keepIn } = context;
  const result = await runTraffic(
    {
      seed: options.seed,
      say,
      predictionsPerSecond: options.predictionsPerSecond,
      models: MODELS,
      keepAs: keepIn === null ? null : join(keepIn, options.outage),
      world: { brokers: 1, counts: { router: 2, evaluator: 2, controller: 2 }, say },
    },
    (traffic) => again(options, traffic),
  );
  return resultOf(options, result);
}

/** How long each took to heal, ms. */
async function again({ outage, times, seed }: OutagesOptions, traffic: Traffic): Promise<readonly number[]> {
  const random = seededRandom(seed);
  const healedMs: number[] = [];
  for (let i = 1; i <= times; i++) {
    await delay(between(BETWEEN_MS, random));
    await strike(outage, traffic, random);
    const backMs = Date.now();
    const healed = await comesTrue(() => isHealed(outage, traffic, backMs), GIVE_UP_MS);
    healedMs.push(healed ? Date.now() - backMs : Infinity);
    traffic.say(`${WHAT[outage]}, ${i} of ${times}: ${healed ? `healed in ${healedMs.at(-1)} ms` : 'not healed'}`);
  }
  return healedMs;
}

/** Resolves when the server is there again. */
async function strike(outage: Outage, { world, injector }: Traffic, random: Random): Promise<void> {
  if (outage !== 'kafka') injector.record.redisLosses.push(Date.now());
  switch (outage) {
    case 'kafka':
      return killAndStart(world.kafka[0]!, random);
    case 'redis':
      return killAndStart(world.redis.server, random);
    case 'flush':
      return world.redis.flush();
  }
}

async function killAndStart(server: LocalServer, random: Random): Promise<void> {
  await server.signal('SIGKILL');
  await delay(between(DOWN_MS, random));
  await server.start();
}

/** Outcomes go to Kafka, weights are followed, every owner cuts what has come since, and all partitions are decided about. */
async function isHealed(outage: Outage, { world, cuts }: Traffic, backMs: number): Promise<boolean> {
  if (!cuts.haveAll(backMs)) return false;
  if (outage !== 'kafka') return true;
  const routers = await Promise.all(world.running('router').map(({ url }) => Metrics.of(url)));
  const follow = routers.every((metrics) => metrics.sum('model_canary_router_weights_current') === 1);
  const sent = routers.every((metrics) => metrics.sum('model_canary_router_outcomes_held', 'spooled') === 0);
  const controllers = await Promise.all(world.running('controller').map(({ url }) => Metrics.of(url)));
  const owned = controllers.reduce((n, one) => n + one.sum('model_canary_controller_owned_partitions'), 0);
  return follow && sent && owned === world.controlPartitions;
}

function resultOf(
  { outage, times }: OutagesOptions,
  { acted: healedMs, judgement, replayed, rollouts }: TrafficResult<readonly number[]>,
): ScenarioResult {
  const { differences, figures } = judgement;
  const inTime = healedMs.filter((ms) => ms <= HEAL_MS_MAX).length;
  const failed = figures.clients!.failedWithRouter;
  const passed = differences.count === 0 && inTime === times && failed === 0;
  const { verdicts, decisions, outcomes } = figures;
  return {
    passed,
    head: ['outage', 'times', 'healed p50', 'longest', 'in 30 s', 'predictions', 'failed', 'outcomes', 'left out', 'rollouts', 'decisions', 'verdicts', 'replayed alike', 'differences'], // prettier-ignore
    rows: [
      [
        WHAT[outage],
        String(times),
        `${quantile(healedMs, 0.5)} ms`,
        `${Math.max(...healedMs)} ms`,
        `${inTime} of ${times}`,
        figures.clients!.predictions.toLocaleString('en'),
        String(failed),
        outcomes.toLocaleString('en'),
        figures.leftOut.toLocaleString('en'),
        String(rollouts),
        String(decisions),
        verdicts.verdicts.toLocaleString('en'),
        replayed.toLocaleString('en'),
        String(differences.count),
      ],
    ],
    problems: differences.all().map(({ rule, where, text }) => `${rule}: ${where}: ${text}`),
    summary: `${WHAT[outage]} ${times} times: healed within 30 s ${inTime} of ${times}, ${failed} predictions failed, ${differences.count} differences`,
    figures: { ...figures, healedMs, replayed, rollouts },
  };
}

const between = ([least, most]: readonly [number, number], random: Random): number => least + (most - least) * random();
