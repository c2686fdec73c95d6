import { join } from 'node:path';
import { FAULT_KINDS, schedule } from '../schedule/schedule.js';
import { type ProcessSample, sampleOf } from '../world/process-sample.js';
import { APPS, type App, type ServiceSlot } from '../world/service-slot.js';
import { median } from './figures.js';
import { COUNT, type Held, heldOver, IN_USE, MEMORY, third } from './held.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';
import { runTraffic, type Traffic, type TrafficResult } from './traffic-run.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly predictionsPerSecond: number;
  readonly models: number;
  readonly seed: number;
}

const FAULT_EVERY_MS = 10_000;
const SAMPLE_EVERY_MS = 5_000;
const SMALL_DISK = { slot: 'router-2', bytes: 3 * 1024 * 1024 };
/** More often than samples are taken. */
const COLLECTING = { FAULTS_COLLECT_EVERY_MS: String(SAMPLE_EVERY_MS / 2) };
/** Watched from the beginning to the end: all that is done to them but killing. */
const WITNESSES = APPS.map((app) => `${app}-1`);
/** So many more keys there may be in the last third than in the one before. */
const KEYS_GROWTH = 50;

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
        env: { router: COLLECTING, evaluator: COLLECTING, controller: COLLECTING },
        nodeFlags: ['--expose-gc'],
        say,
      },
    },
    (traffic) => endure(options, traffic),
  );
  return resultOf(options, result);
}

interface Endured {
  readonly faults: number;
  readonly samples: Readonly<Record<App, readonly ProcessSample[]>>;
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
  const samples: Record<App, ProcessSample[]> = { router: [], evaluator: [], controller: [] };
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

const HOUR_MS = 3_600_000;

function heldBy(app: App, samples: readonly ProcessSample[]): readonly Held[] {
  const along = ({ atMs }: ProcessSample): number => atMs / HOUR_MS;
  return [
    heldOver(`${app}: resident MiB`, samples, { along, of: (sample) => sample.residentMib, rule: MEMORY }),
    heldOver(`${app}: heap in use MiB`, samples, { along, of: (sample) => sample.heapMib, rule: IN_USE }),
    heldOver(`${app}: open files`, samples, { along, of: (sample) => sample.files, rule: COUNT }),
    heldOver(`${app}: timers`, samples, { along, of: (sample) => sample.timers, rule: COUNT }),
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
    { what: 'Redis: keys', middle: middleKeys, last: lastKeys, slope: NaN, grows: lastKeys > middleKeys + KEYS_GROWTH },
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
