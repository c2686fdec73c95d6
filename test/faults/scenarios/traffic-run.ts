import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { KafkaLogSource } from '../oracle/log-source.js';
import { type Judgement, judge } from '../oracle/oracle.js';
import type { RedisSide } from '../oracle/window-recount.js';
import { type FaultRecord, Injector } from '../schedule/injector.js';
import { Clients } from '../world/clients.js';
import { type FaultWorld, type FaultWorldOptions, startFaultWorld } from '../world/fault-world.js';
import { Operators } from '../world/operators.js';
import type { ServiceSlot } from '../world/service-slot.js';
import { comesTrue, CutWatch, routerFigures, routersAreDone, shownWindows, slotPositions } from '../world/settle.js';
import { replayed } from './replayed.js';

export interface TrafficOptions {
  readonly world: FaultWorldOptions;
  readonly seed: number;
  readonly models: number;
  /** Of all models together. */
  readonly predictionsPerSecond: number;
  /** Where logs are left, and under which name; null: nowhere. */
  readonly keepAs: string | null;
  readonly say: (line: string) => void;
}

/** Everything there is while it runs. */
export interface Traffic {
  readonly world: FaultWorld;
  readonly clients: Clients;
  readonly operators: Operators;
  readonly cuts: CutWatch;
  readonly injector: Injector;
  readonly models: readonly string[];
  /** With the seconds since the start in front. */
  readonly say: (line: string) => void;
}

export interface TrafficResult<T> {
  readonly acted: T;
  readonly judgement: Judgement;
  /** Rollouts that were begun. */
  readonly rollouts: number;
  /** Verdicts that were given again by an undisturbed evaluator and compared. */
  readonly replayed: number;
  readonly seconds: number;
}

export const LABELS_WITHIN_MS = 3_000;
const WARM_UP_MS = 5_000;
const CALM_MS = 4_000;
const READY_MS_MAX = 60_000;
const SETTLE_MS_MAX = 120_000;

/**
 * Starts everything, with users, labels and people who roll out one version after the other, and does something to it;
 * then waits until all that was made has been counted, and lets the oracle judge.
 */
export async function runTraffic<T>(
  options: TrafficOptions,
  act: (traffic: Traffic) => Promise<T>,
): Promise<TrafficResult<T>> {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  const world = await startFaultWorld(options.world);
  const say = (line: string): void => options.say(`${seconds().toFixed(0).padStart(4)} s: ${line}`);
  try {
    return { ...(await actAndJudge({ ...options, say }, world, act)), seconds: seconds() };
  } finally {
    await world.close(options.keepAs);
  }
}

async function actAndJudge<T>(
  { seed, models: modelCount, predictionsPerSecond, say }: TrafficOptions,
  world: FaultWorld,
  act: (traffic: Traffic) => Promise<T>,
): Promise<Omit<TrafficResult<T>, 'seconds'>> {
  const models = Array.from({ length: modelCount }, (_, i) => `model-${i + 1}`);
  const fromMs = Date.now();
  await using opened = new AsyncDisposableStack();
  await world.startAll();
  const cuts = new CutWatch(world);
  opened.defer(() => cuts.close());
  const controllerUrls = (): string[] => world.running('controller').map(({ url }) => url);
  const operators = new Operators({ seed, models, controllerUrls, labelsWithinMs: LABELS_WITHIN_MS });
  opened.defer(() => operators.close());
  await operators.register();
  const clients = new Clients({
    seed,
    models: models.map((model) => ({ model, perSecond: predictionsPerSecond / modelCount })),
    usersPerModel: 400,
    routers: () => world.running('router'),
    labels: { producer: world.bus.producer(), topic: world.topics.label, labelsWithinMs: LABELS_WITHIN_MS },
  });
  clients.start();
  opened.defer(() => clients.stop());
  const injector = new Injector(world, say);
  opened.defer(() => injector.close());
  const routers = world.running('router').length;
  if (!(await comesTrue(async () => clients.readyCount === routers, READY_MS_MAX)))
    throw new Error('the routers are not ready');
  operators.goOn();
  await delay(WARM_UP_MS);
  say('it begins');
  const acted = await act({ world, clients, operators, cuts, injector, models, say });
  await injector.heal();
  say('everything is healed; some quiet, then everything is to come to rest');
  await delay(CALM_MS);
  await operators.stop();
  await clients.stop();
  say('nobody asks any more');
  const rest = await comeToRest(world, cuts, { models, fromMs, say });
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
  for (const problem of rest.problems) judgement.differences.add('not-at-rest', 'all', problem);
  checkProcesses(world, judgement);
  const compared = await checkReplays(world, judgement);
  return { acted, judgement, rollouts: operators.begun.length, replayed: compared };
}

interface Rest {
  readonly problems: readonly string[];
  readonly routers: Awaited<ReturnType<typeof routerFigures>>;
  readonly windows: Awaited<ReturnType<typeof shownWindows>>;
  readonly positions: Awaited<ReturnType<typeof slotPositions>>;
}

/** Waits until all that was made has been counted, looks at what only living services show, and ends them in order. */
async function comeToRest(
  world: FaultWorld,
  cuts: CutWatch,
  { models, fromMs, say }: { models: readonly string[]; fromMs: number; say: (line: string) => void },
): Promise<Rest> {
  const problems: string[] = [];
  const stop = async (slots: readonly ServiceSlot[]): Promise<void> => {
    for (const slot of slots.filter(({ current }) => current !== null)) {
      const code = await slot.stop();
      if (code !== 0) problems.push(`${slot.name} ended with ${code}`);
    }
  };
  if (!(await routersAreDone(world, SETTLE_MS_MAX))) problems.push('routers hold outcomes that they do not send');
  const routers = await routerFigures(world.running('router'));
  // Their last buckets are closed with them.
  await stop(world.of('router'));
  say('routers have sent everything and are closed');
  if (!(await cuts.evaluatorsAreDone(SETTLE_MS_MAX)))
    problems.push('evaluators have not come to the end of the records');
  const range = { fromMs: Math.max(fromMs - 70_000, Date.now() - 50 * 60_000), toMs: Date.now() + 70_000 };
  const windows = await shownWindows(world.running('controller')[0]!.url, models, range);
  await stop([...world.of('evaluator'), ...world.of('controller')]);
  return { problems, routers, windows, positions: await slotPositions(world) };
}

function redisSide({ windows, positions }: Rest, { redisLosses, clockErrorMs }: FaultRecord): RedisSide {
  return { windows, positions, losses: redisLosses, clockErrorMs };
}

/** What a person is rightly called for: the disk is full, and somebody wrote rubbish into rollout-state. */
const FOR_A_PERSON = ['the spool cannot be written', 'a state cannot be read', 'a state record cannot be read'];

/** Nobody crashed, and nobody called for a person because of what heals by itself. */
function checkProcesses(world: FaultWorld, { differences }: Judgement): void {
  for (const slot of world.slots) {
    for (const { id, end } of slot.incarnations)
      differences.unless(end !== 'crashed', 'crashed', id, 'ended by itself, or not with 0');
    for (const line of readFileSync(slot.logFile, 'utf8').split('\n')) {
      if (!line.includes('"level":50') && !line.includes('"level":60')) continue;
      const { msg } = JSON.parse(line) as { msg: string };
      if (!FOR_A_PERSON.some((text) => msg.startsWith(text))) differences.add('error-in-log', slot.name, msg);
    }
  }
}

/** Whoever folds the same records again, undisturbed, gives the same verdicts. Returns how many were compared. */
async function checkReplays(world: FaultWorld, { differences, history, verdicts }: Judgement): Promise<number> {
  const models = new Set([...verdicts.values()].map(({ model }) => model));
  let compared = 0;
  for (const model of history.models.keys()) {
    if (!models.has(model)) continue;
    try {
      const { verdicts: given, identical, firstDifference } = await replayed(world, model);
      compared += given;
      differences.unless(
        given === identical,
        'replay',
        model,
        () => `${given - identical} of ${given} verdicts differ, first: ${JSON.stringify(firstDifference)}`,
      );
    } catch (error) {
      differences.add('replay', model, (error as Error).message);
    }
  }
  return compared;
}
