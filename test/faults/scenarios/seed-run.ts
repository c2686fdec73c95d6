import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Difference } from '../oracle/differences.js';
import { type Judgement, judge } from '../oracle/oracle.js';
import { KafkaLogSource } from '../oracle/log-source.js';
import { type FaultRecord, Injector } from '../schedule/injector.js';
import { type FaultKind, schedule } from '../schedule/schedule.js';
import { Clients } from '../world/clients.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { Operators } from '../world/operators.js';
import { comesTrue, CutWatch, routerFigures, routersAreDone, shownWindows, slotPositions } from '../world/settle.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { replayed } from './replayed.js';

export interface SeedRunOptions {
  readonly seed: number;
  readonly brokers: number;
  /** From the first fault until everything is healed. */
  readonly durationMs: number;
  readonly kinds: readonly FaultKind[];
  readonly predictionsPerSecond: number;
  readonly models: number;
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
  readonly figures: Judgement['figures'];
  readonly rollouts: number;
  readonly replayed: number;
  readonly seconds: number;
}

const LABELS_WITHIN_MS = 3_000;
const WARM_UP_MS = 5_000;
const CALM_MS = 4_000;
const READY_MS_MAX = 60_000;
const SETTLE_MS_MAX = 120_000;
const SNAPSHOT_EVERY_MS = 5_000;
const SMALL_DISK_BYTES = 3 * 1024 * 1024;

/** Runs everything under the faults of a seed, then lets an oracle judge it. */
export async function runSeed(options: SeedRunOptions): Promise<SeedResult> {
  const startedMs = performance.now();
  const { say } = options;
  const world = await startFaultWorld({
    brokers: options.brokers,
    counts: { router: 2, evaluator: 2, controller: 2 },
    spares: { evaluator: 1 },
    smallDisk: { slot: 'router-2', bytes: SMALL_DISK_BYTES },
    say,
  });
  try {
    const found = await breakAndJudge(options, world);
    return { ...found, seed: options.seed, brokers: options.brokers, seconds: (performance.now() - startedMs) / 1000 };
  } finally {
    if (options.keepIn !== null)
      cpSync(join(world.folder, 'services'), join(options.keepIn, `seed-${options.seed}`), { recursive: true });
    await world.close();
  }
}

async function breakAndJudge(
  options: SeedRunOptions,
  world: FaultWorld,
): Promise<Omit<SeedResult, 'seed' | 'brokers' | 'seconds'>> {
  const { seed, models: modelCount, predictionsPerSecond } = options;
  const startedMs = performance.now();
  const say = (line: string): void =>
    options.say(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s: ${line}`);
  const models = Array.from({ length: modelCount }, (_, i) => `model-${i + 1}`);
  const runFromMs = Date.now();
  await using opened = new AsyncDisposableStack();
  await world.startAll();
  const cuts = new CutWatch(world);
  opened.defer(() => cuts.close());
  const operators = new Operators({
    seed,
    models,
    controllerUrls: () => world.running('controller').map(({ url }) => url),
    labelsWithinMs: LABELS_WITHIN_MS,
  });
  opened.defer(() => operators.close());
  await operators.register();
  const labels = world.bus.producer();
  const clients = new Clients({
    seed,
    models: models.map((model) => ({ model, perSecond: predictionsPerSecond / modelCount })),
    usersPerModel: 400,
    routers: () => world.running('router'),
    labels: { producer: labels, topic: world.topics.label, labelsWithinMs: LABELS_WITHIN_MS },
  });
  clients.start();
  opened.defer(() => clients.stop());
  const injector = new Injector(world, say);
  opened.defer(() => injector.close());
  if (!(await comesTrue(async () => clients.readyCount === 2, READY_MS_MAX)))
    throw new Error('the routers are not ready');
  operators.goOn();
  await delay(WARM_UP_MS);
  await faultsOf(options, world, injector);
  say('all healed; some quiet, then everything is to come to rest');
  await delay(CALM_MS);
  await operators.stop();
  await clients.stop();
  const rest = await comeToRest(world, cuts, { models, fromMs: runFromMs, say });
  say('everything is at rest; the oracle reads');
  const judgement = await judge({
    source: new KafkaLogSource(world.brokers, world.topics),
    sealer: world.sealer,
    dataPartitions: { outcome: world.dataPartitions, label: world.dataPartitions },
    clients: {
      sent: clients.sent,
      incarnations: world.slots.flatMap(({ incarnations }) => incarnations),
      routers: rest.routers,
      fullDisks: injector.record.fullDisks,
    },
    redis: redisSide(rest, injector.record),
    labelled: clients.labelled,
    confirmed: operators.confirmed,
  });
  const { differences } = judgement;
  for (const problem of rest.problems) differences.add('not-at-rest', 'all', problem);
  checkProcesses(world, differences.add.bind(differences));
  const replays = await checkReplays(world, judgement);
  return {
    faults: injector.record.done,
    differences: differences.all(),
    differenceCount: differences.count,
    figures: judgement.figures,
    rollouts: operators.begun.length,
    replayed: replays,
  };
}

async function faultsOf(options: SeedRunOptions, world: FaultWorld, injector: Injector): Promise<void> {
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
    smallDisk: 'router-2',
  });
  // Nothing can be asked of a Redis that is suspended or away: then the snapshot before is the newest.
  const snapshots = setInterval(() => void world.redis.takeSnapshot().catch(() => undefined), SNAPSHOT_EVERY_MS);
  try {
    await injector.run(faults);
  } finally {
    clearInterval(snapshots);
    await injector.heal();
  }
}

interface Rest {
  readonly problems: readonly string[];
  readonly routers: Awaited<ReturnType<typeof routerFigures>>;
  readonly windows: Awaited<ReturnType<typeof shownWindows>>;
  readonly positions: Awaited<ReturnType<typeof slotPositions>>;
}

/** Waits until all that was made has been counted, looks at what only living services show, and ends the routers. */
async function comeToRest(
  world: FaultWorld,
  cuts: CutWatch,
  { models, fromMs, say }: { models: readonly string[]; fromMs: number; say: (line: string) => void },
): Promise<Rest> {
  const problems: string[] = [];
  const stop = async (slots: readonly ServiceSlot[]): Promise<void> => {
    const codes = await Promise.all(slots.filter(({ current }) => current !== null).map((slot) => slot.stop()));
    codes.forEach((code, i) => code !== 0 && problems.push(`${slots[i]!.name} ended with ${code}`));
  };
  if (!(await routersAreDone(world, SETTLE_MS_MAX))) problems.push('routers hold outcomes that they do not send');
  const routers = await routerFigures(world.running('router'));
  // Their last buckets are closed with them.
  await stop(world.of('router'));
  say('routers have sent everything and are closed');
  if (!(await cuts.evaluatorsAreDone(SETTLE_MS_MAX)))
    problems.push('evaluators have not come to the end of the records');
  const windows = await shownWindows(world.running('controller')[0]!.url, models, {
    fromMs: fromMs - 70_000,
    toMs: Date.now() + 70_000,
  });
  await stop([...world.of('evaluator'), ...world.of('controller')]);
  return { problems, routers, windows, positions: await slotPositions(world) };
}

function redisSide(rest: Rest, record: FaultRecord) {
  const { windows, positions } = rest;
  return { windows, positions, losses: record.redisLosses, clockErrorMs: record.clockErrorMs };
}

/** Nobody crashed, and nobody called for a person because of what heals by itself. */
function checkProcesses(world: FaultWorld, add: (rule: string, where: string, text: string) => void): void {
  for (const slot of world.slots) {
    for (const { id, end } of slot.incarnations) if (end === 'crashed') add('crashed', id, 'ended by itself');
    for (const line of readFileSync(slot.logFile, 'utf8').split('\n')) {
      if (!line.includes('"level":50') && !line.includes('"level":60')) continue;
      const { msg } = JSON.parse(line) as { msg: string };
      if (!FOR_A_PERSON.some((text) => msg.startsWith(text))) add('error-in-log', slot.name, msg);
    }
  }
}

/** What a person is rightly called for: the disk is full, and somebody wrote rubbish into rollout-state. */
const FOR_A_PERSON = ['the spool cannot be written', 'a state cannot be read', 'a state record cannot be read'];

/** Whoever folds the same records again, undisturbed, gives the same verdicts. Returns how many were compared. */
async function checkReplays(world: FaultWorld, { differences, history, figures }: Judgement): Promise<number> {
  let compared = 0;
  if (figures.verdicts.verdicts === 0) return compared;
  for (const model of history.models.keys()) {
    try {
      const { verdicts, identical, firstDifference } = await replayed(world, model);
      compared += verdicts;
      differences.unless(
        verdicts === identical,
        'replay',
        model,
        () => `${verdicts - identical} of ${verdicts} verdicts differ, first: ${JSON.stringify(firstDifference)}`,
      );
    } catch (error) {
      differences.add('replay', model, (error as Error).message);
    }
  }
  return compared;
}
