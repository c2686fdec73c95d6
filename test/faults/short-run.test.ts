import { expect, it } from 'vitest';
import type { ScheduledFault } from './schedule/schedule.js';
import { churn } from './scenarios/churn.js';
import { runTraffic } from './scenarios/traffic-run.js';
import { Metrics } from './world/metrics.js';
import { comesTrue } from './world/settle.js';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const TAKEN_OVER_MS_MAX = 60_000;

/** One of most kinds, some at the same time; a minute's worth in half of one. `npm run test:faults` has the long runs. */
const FAULTS: readonly ScheduledFault[] = [
  { atMs: 0, kind: 'kill-evaluator', target: 'evaluator-1', durationMs: 0 },
  { atMs: 500, kind: 'poison', target: 'all', durationMs: 0 },
  { atMs: 1_000, kind: 'cut', target: 'router-1', link: 'kafka', durationMs: 4_000 },
  { atMs: 3_000, kind: 'clock', target: 'router-2', amountMs: -60_000, durationMs: 6_000 },
  { atMs: 5_000, kind: 'kill-router', target: 'router-1', durationMs: 500 },
  { atMs: 7_000, kind: 'rollback', target: 'redis', durationMs: 0 },
  { atMs: 8_000, kind: 'half-open', target: 'evaluator-2', link: 'redis', durationMs: 3_000 },
  { atMs: 9_000, kind: 'reset', target: 'all', link: 'kafka', durationMs: 0 },
  { atMs: 11_000, kind: 'flush', target: 'redis', durationMs: 0 },
  { atMs: 12_000, kind: 'kill-kafka', target: 'kafka-1', durationMs: 500 },
];

it('everything is exact after half a minute of faults, and after a takeover from a controller that was stopped', async () => {
  const world = { brokers: 1, counts: { router: 2, evaluator: 2, controller: 2 }, say } as const;
  const options = {
    seed: 11,
    models: 2,
    predictionsPerSecond: 100,
    keepAs: process.env['FAULTS_KEEP'] ?? null,
    world,
    say,
  };
  const { acted, judgement, replayed } = await runTraffic(options, async ({ world: stage, injector }) => {
    await stage.redis.takeSnapshot();
    await injector.run(FAULTS);
    const [stopped, other] = stage.of('controller');
    stopped!.suspend();
    const owned = async (): Promise<number> =>
      (await Metrics.of(other!.current!.url)).sum('model_canary_controller_owned_partitions');
    const tookOver = await comesTrue(async () => (await owned()) === stage.controlPartitions, TAKEN_OVER_MS_MAX);
    stopped!.resume();
    return tookOver;
  });
  expect(acted, 'the other controller owns all partitions').toBe(true);
  expect(judgement.differences.all()).toEqual([]);
  const { outcomes, buckets, labels, decisions, verdicts, deadLetters, clients } = judgement.figures;
  say(
    `${outcomes} outcomes, ${labels} labels, ${decisions} decisions, ${replayed} verdicts replayed, ${deadLetters} dead letters`,
  );
  for (const n of [outcomes, buckets, labels, decisions, verdicts.verdicts, deadLetters]) expect(n).toBeGreaterThan(0);
  expect(clients!.predictions).toBeGreaterThan(0);
});

it('two thousand connections, used well and badly, leave nothing behind', async () => {
  const keepIn = process.env['FAULTS_KEEP'] ?? null;
  const { problems, summary } = await churn({ connections: 2_000, concurrency: 64, seed: 11 }, { say, keepIn });
  say(summary);
  expect(problems).toEqual([]);
});
