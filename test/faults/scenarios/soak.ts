import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { residentMib } from '../../benchmark/process-usage.js';
import { FAULT_KINDS, schedule } from '../schedule/schedule.js';
import { Metrics } from '../world/metrics.js';
import { APPS, type App, type Incarnation, type ServiceSlot } from '../world/service-slot.js';
import { median } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';
import { runTraffic, type Traffic, type TrafficResult } from './traffic-run.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly predictionsPerSecond: number;
  readonly models: number;
  readonly seed: number;
}

/** What a process holds at one moment. */
interface Sample {
  readonly atMs: number;
  readonly residentMib: number;
  readonly files: number;
  readonly timers: number;
}

const FAULT_EVERY_MS = 10_000;
const SAMPLE_EVERY_MS = 5_000;
const SMALL_DISK = { slot: 'router-2', bytes: 3 * 1024 * 1024 };
/** Watched from the beginning to the end: all that is done to them but killing. */
const WITNESSES = APPS.map((app) => `${app}-1`);
/** What is held in the last third may be so much more than in the one before. */
const GROWTH = { share: 0.1, mib: 8, count: 10, keys: 50 } as const;

/** Rollouts of many models, a fault every 10 s, for a long time: nothing grows, and everything is exact at the end. */
export async function soak(options: SoakOptions, { say, keepIn }: ScenarioContext): Promise<ScenarioResult> {
  const result = await runTraffic(
    {
      seed: options.seed,
      say,
      predictionsPerSecond: options.predictionsPerSecond,
      models: options.models,
      keepAs: keepIn === null ? null : join(keepIn, 'soak'),
      world: {
        brokers: 1,
        counts: { router: 2, evaluator: 2, controller: 2 },
        spares: { evaluator: 1 },
        smallDisk: SMALL_DISK,
        optimised: true,
        say,
      },
    },
    (traffic) => endure(options, traffic),
  );
  return resultOf(options, result);
}

interface Endured {
  readonly faults: number;
  readonly samples: Readonly<Record<App, readonly Sample[]>>;
  readonly keys: readonly number[];
}

async function endure(options: SoakOptions, traffic: Traffic): Promise<Endured> {
  const { world, injector } = traffic;
  const names = (slots: readonly ServiceSlot[]): string[] => slots.map(({ name }) => name);
  const evaluators = names(world.of('evaluator'));
  const faults = schedule({
    seed: options.seed,
    durationMs: options.minutes * 60_000,
    kinds: FAULT_KINDS,
    routers: names(world.of('router')),
    evaluators: evaluators.slice(0, 2),
    spareEvaluators: evaluators.slice(2),
    controllers: names(world.of('controller')),
    brokers: 1,
    smallDisk: SMALL_DISK.slot,
    everyMs: FAULT_EVERY_MS,
    spared: WITNESSES,
  });
  const samples: Record<App, Sample[]> = { router: [], evaluator: [], controller: [] };
  const keys: number[] = [];
  const sample = async (): Promise<void> => {
    for (const app of APPS) {
      const witness = world.slot(`${app}-1`).current;
      const taken = witness && (await sampleOf(witness));
      if (taken) samples[app].push(taken);
    }
    const count = await world.redis.keys().catch(() => null); // away: the next one is asked
    if (count !== null) keys.push(count);
  };
  const sampling = setInterval(() => void sample(), SAMPLE_EVERY_MS);
  const snapshots = setInterval(() => void world.redis.takeSnapshot().catch(() => undefined), SAMPLE_EVERY_MS);
  try {
    await injector.run(faults);
  } finally {
    clearInterval(sampling);
    clearInterval(snapshots);
  }
  return { faults: injector.record.done, samples, keys };
}

/** Null: it is suspended or cut off, and does not say how many timers it has. */
async function sampleOf({ pid, url }: Incarnation): Promise<Sample | null> {
  try {
    const metrics = await Metrics.of(url, 2_000);
    return {
      atMs: Date.now(),
      residentMib: residentMib(pid),
      files: readdirSync(`/proc/${pid}/fd`).length,
      timers: metrics.sumOfEnding('nodejs_active_resources', 'type="Timeout"'),
    };
  } catch {
    return null;
  }
}

/** Growth by the hour, by least squares. */
function slopePerHour(samples: readonly { readonly atMs: number; readonly value: number }[]): number {
  const n = samples.length;
  if (n < 2) return NaN;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / n;
  const above = samples.reduce((sum, { atMs, value }) => sum + (atMs - meanAt) * (value - mean), 0);
  const below = samples.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  return (above / below) * 3_600_000;
}

/**
 * Connections come and go with what is asked, all the more where the other router is away: the most and the middle of them
 * say little. What leaks is there at every moment.
 */
const least = (values: readonly number[]): number => Math.min(...values);

const third = <T>(list: readonly T[], which: 1 | 2): readonly T[] =>
  list.slice(Math.floor((list.length * which) / 3), Math.floor((list.length * (which + 1)) / 3));

interface Held {
  readonly what: string;
  readonly middle: number;
  readonly last: number;
  readonly slope: number;
  readonly grows: boolean;
}

function heldBy(app: App, samples: readonly Sample[]): readonly Held[] {
  const settled = samples.slice(Math.floor(samples.length / 3));
  const held = (
    what: string,
    of: (sample: Sample) => number,
    typical: (values: readonly number[]) => number,
    allowed: (middle: number) => number,
  ): Held => {
    const [middle, last] = [typical(third(samples, 1).map(of)), typical(third(samples, 2).map(of))];
    const slope = slopePerHour(settled.map((sample) => ({ atMs: sample.atMs, value: of(sample) })));
    return { what: `${app}: ${what}`, middle, last, slope, grows: last > middle + allowed(middle) };
  };
  return [
    held(
      'resident MiB',
      (sample) => sample.residentMib,
      median,
      (middle) => middle * GROWTH.share + GROWTH.mib,
    ),
    held(
      'open files',
      (sample) => sample.files,
      least,
      () => GROWTH.count,
    ),
    held(
      'timers',
      (sample) => sample.timers,
      least,
      () => GROWTH.count,
    ),
  ];
}

function resultOf(
  { minutes }: SoakOptions,
  { acted, judgement, replayed, rollouts }: TrafficResult<Endured>,
): ScenarioResult {
  const { differences, figures } = judgement;
  const { samples, keys, faults } = acted;
  const [middleKeys, lastKeys] = [median(third(keys, 1)), median(third(keys, 2))];
  const held: readonly Held[] = [
    ...APPS.flatMap((app) => heldBy(app, samples[app])),
    { what: 'Redis: keys', middle: middleKeys, last: lastKeys, slope: NaN, grows: lastKeys > middleKeys + GROWTH.keys },
  ];
  const growing = held.filter(({ grows }) => grows);
  const failed = figures.clients!.failedWithRouter;
  return {
    passed: differences.count === 0 && growing.length === 0,
    head: ['held', 'second third', 'last third', 'an hour'],
    rows: held.map(({ what, middle, last, slope }) => [
      what,
      middle.toFixed(0),
      last.toFixed(0),
      Number.isNaN(slope) ? '-' : `${slope > 0 ? '+' : ''}${slope.toFixed(1)}`,
    ]),
    problems: [
      ...growing.map(({ what, middle, last }) => `${what} grows: ${middle.toFixed(0)}, then ${last.toFixed(0)}`),
      ...differences.all().map(({ rule, where, text }) => `${rule}: ${where}: ${text}`),
    ],
    summary: `${minutes} minutes, ${faults} faults, ${figures.clients!.predictions.toLocaleString('en')} predictions (${failed} failed with their router), ${rollouts} rollouts, ${figures.decisions} decisions, ${figures.verdicts.verdicts.toLocaleString('en')} verdicts (${replayed.toLocaleString('en')} replayed): ${differences.count} differences, ${growing.length} things grow`,
    figures: { ...figures, held, rollouts, replayed, faults },
  };
}
