import { join } from 'node:path';
import type { Difference } from '../oracle/differences.js';
import type { OracleFigures } from '../oracle/oracle.js';
import { type FaultKind, schedule } from '../schedule/schedule.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { runTraffic, type Traffic } from './traffic-run.js';

export interface SeedRunOptions {
  readonly seed: number;
  readonly brokers: number;
  /** From the first fault until everything is healed. */
  readonly durationMs: number;
  readonly kinds: readonly FaultKind[];
  readonly predictionsPerSecond: number;
  /** Where logs are left; null: nowhere. */
  readonly keepIn: string | null;
  readonly say: (line: string) => void;
}

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly brokers: number;
  readonly faults: number;
  readonly differences: readonly Difference[];
  readonly differenceCount: number;
  readonly figures: OracleFigures;
  readonly rollouts: number;
  readonly replayed: number;
  readonly seconds: number;
}

const MODELS = 2;
const SNAPSHOT_EVERY_MS = 5_000;
const SMALL_DISK = { slot: 'router-2', bytes: 3 * 1024 * 1024 };

/** Runs everything under the faults of a seed, and lets the oracle judge it. */
export async function runSeed(options: SeedRunOptions): Promise<SeedResult> {
  const { seed, brokers, keepIn, say, predictionsPerSecond } = options;
  const found = await runTraffic(
    {
      seed,
      say,
      predictionsPerSecond,
      models: MODELS,
      keepAs: keepIn === null ? null : join(keepIn, `seed-${seed}`),
      world: {
        brokers,
        counts: { router: 2, evaluator: 2, controller: 2 },
        spares: { evaluator: 1 },
        smallDisk: SMALL_DISK,
        say,
      },
    },
    (traffic) => breakThings(options, traffic),
  );
  const { acted: faults, judgement, rollouts, replayed, seconds } = found;
  const { differences, figures } = judgement;
  return {
    seed,
    brokers,
    faults,
    rollouts,
    replayed,
    seconds,
    figures,
    differences: differences.all(),
    differenceCount: differences.count,
  };
}

/** Returns how many faults there were. */
async function breakThings(options: SeedRunOptions, { world, injector }: Traffic): Promise<number> {
  const names = (slots: readonly ServiceSlot[]): string[] => slots.map(({ name }) => name);
  const evaluators = names(world.of('evaluator'));
  const faults = schedule({
    seed: options.seed,
    durationMs: options.durationMs,
    kinds: options.kinds,
    routers: names(world.of('router')),
    evaluators: evaluators.slice(0, 2),
    spareEvaluators: evaluators.slice(2),
    controllers: names(world.of('controller')),
    brokers: options.brokers,
    smallDisk: SMALL_DISK.slot,
  });
  // Nothing can be asked of a Redis that is suspended or away: then the snapshot before is the newest.
  const snapshots = setInterval(() => void world.redis.takeSnapshot().catch(() => undefined), SNAPSHOT_EVERY_MS);
  try {
    await injector.run(faults);
  } finally {
    clearInterval(snapshots);
  }
  return injector.record.done;
}
