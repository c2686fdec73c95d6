import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Random, seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { SyntheticRouter } from '../../integration/evaluator-traffic.js';
import { KafkaLogSource } from '../oracle/log-source.js';
import { type Judgement, judge } from '../oracle/oracle.js';
import { ControllerApi } from '../world/controller-api.js';
import { type FaultWorld, startFaultWorld } from '../world/fault-world.js';
import { readyServer } from '../world/ready-server.js';
import { CutWatch, shownWindows, slotPositions } from '../world/settle.js';
import { milliseconds, quantile } from './figures.js';
import type { ScenarioContext, ScenarioResult } from './scenario.js';

export interface EvaluatorKillsOptions {
  readonly times: number;
  readonly evaluators: number;
  readonly outcomesPerSecond: number;
  readonly seed: number;
}

const MODELS = ['alpha', 'beta', 'gamma', 'delta'] as const;
/** Registered, then started. */
const GENERATION = 2;
const PER_BUCKET = 10;
const TURN_MS = 20;
const BUCKETS_PER_TURN_MAX = 60;
const LABELS_WITHIN_MS = 3_000;
const MOMENT_MS_MAX = 1_500;
const RECOVERY_MS_MAX = 60_000;
const SETTLE_MS_MAX = 180_000;

/**
 * kill -9 of an evaluator at random moments, under a flood of outcomes of which some come twice and some never. All
 * rollouts stay where they are, so that every verdict has the whole evidence behind it.
 */
export async function killEvaluators(
  options: EvaluatorKillsOptions,
  { say, keepIn }: ScenarioContext,
): Promise<ScenarioResult> {
  const { evaluators, times } = options;
  const world = await startFaultWorld({ brokers: 1, counts: { router: 0, evaluator: evaluators, controller: 1 }, say });
  await using opened = new AsyncDisposableStack();
  opened.defer(() => world.close(keepIn === null ? null : join(keepIn, 'evaluator-kills')));
  await world.startAll();
  const ready = await readyServer();
  opened.defer(() => ready.close());
  await beginRollouts(world, ready.url);
  const cuts = new CutWatch(world);
  opened.defer(() => cuts.close());
  const flood = new Flood(world, options);
  opened.defer(() => flood.stop());
  const fromMs = Date.now();
  flood.start();
  await cuts.everyOwnerCuts(Date.now(), RECOVERY_MS_MAX);
  const recoveredMs: number[] = [];
  const random = seededRandom(options.seed);
  for (let kill = 1; kill <= times; kill++) {
    recoveredMs.push(await killOne(world, cuts, random));
    if (kill % 10 === 0 || kill === times)
      say(
        `${kill} kills, ${flood.predictions.toLocaleString('en')} outcomes, recovered in ${milliseconds(recoveredMs)}`,
      );
  }
  await flood.stop();
  const judgement = await countAgain(world, cuts, fromMs);
  return resultOf(options, { judgement, recoveredMs, predictions: flood.predictions, perSecond: flood.perSecond });
}

async function killOne(world: FaultWorld, cuts: CutWatch, random: Random): Promise<number> {
  await delay(MOMENT_MS_MAX * random());
  const running = world.of('evaluator');
  const slot = running[Math.floor(random() * running.length)]!;
  const killedMs = Date.now();
  await slot.kill();
  await slot.start();
  await cuts.everyOwnerCuts(killedMs, RECOVERY_MS_MAX);
  return Date.now() - killedMs;
}

async function countAgain(world: FaultWorld, cuts: CutWatch, fromMs: number): Promise<Judgement> {
  const isDone = await cuts.evaluatorsAreDone(SETTLE_MS_MAX);
  const range = { fromMs: fromMs - 60_000, toMs: Date.now() + 60_000 };
  const windows = await shownWindows(world.running('controller')[0]!.url, MODELS, range);
  const codes = await Promise.all(world.slots.map((slot) => slot.stop()));
  const judgement = await judge({
    source: new KafkaLogSource(world.brokers, world.topics),
    sealer: world.sealer,
    dataPartitions: { outcome: world.dataPartitions, label: world.dataPartitions },
    clients: null,
    redis: { windows, positions: await slotPositions(world), losses: [], clockErrorMs: 0 },
    labelled: new Set(),
    confirmed: [],
  });
  const { differences } = judgement;
  differences.unless(isDone, 'not-at-rest', 'evaluators', 'have not come to the end of the records');
  differences.unless(
    codes.every((code) => code === 0),
    'exit-code',
    'all',
    codes.join(', '),
  );
  for (const { incarnations } of world.slots)
    for (const { id, end } of incarnations) differences.unless(end !== 'crashed', 'crashed', id, 'ended by itself');
  return judgement;
}

/** Rollouts whose first step never ends, with limits that chance does not reach. */
async function beginRollouts(world: FaultWorld, url: string): Promise<void> {
  const api = new ControllerApi(() => world.running('controller').map((one) => one.url));
  const never = { predictions: 1_000_000_000, duration: '24h' };
  await Promise.all(
    MODELS.map(async (model) => {
      const file = {
        model,
        stable: { version: 'v1', url },
        canary: { version: 'v2', url },
        prediction: { pointer: '/outputs/0/data/0', kind: 'class' },
        warmup: { predictions: 50, duration: '1s' },
        steps: [
          { traffic_split: { v1: 0.9, v2: 0.1 }, atLeast: never },
          { traffic_split: { v1: 0, v2: 1 }, atLeast: never },
        ],
        checks: {
          errorRate: { maxIncrease: 0.4, max: 0.9 },
          accuracy: { maxDrop: 0.5, labelsWithin: `${LABELS_WITHIN_MS}ms` },
          latency: { p50: { maxRatio: 100, minIncreaseMs: 10_000 }, p99: 'off' },
        },
      };
      await api.order('rollouts', file, { commandId: `begin-${model}` });
      for (;;) {
        const state = await api.state(model);
        if (state?.generation === GENERATION) return;
        await delay(TURN_MS);
      }
    }),
  );
}

/** A router that writes what a router writes, at a rate, and what a bad day does to it. */
class Flood {
  readonly startedMs = performance.now();
  private readonly router: SyntheticRouter;
  private readonly ending = new AbortController();
  private done: Promise<void> = Promise.resolve();
  private endedMs: number | null = null;

  constructor(
    world: FaultWorld,
    private readonly options: EvaluatorKillsOptions,
  ) {
    this.router = new SyntheticRouter({
      producer: world.bus.producer(),
      topics: world.topics,
      sealer: world.sealer,
      partitions: world.dataPartitions,
      models: MODELS,
      seed: options.seed,
    });
  }

  get predictions(): number {
    return this.router.predictions;
  }

  /** On the mean. */
  get perSecond(): number {
    return (this.predictions / ((this.endedMs ?? performance.now()) - this.startedMs)) * 1000;
  }

  start(): void {
    this.done = this.run();
  }

  /** Lets everything that is pending become final. Idempotent. */
  async stop(): Promise<void> {
    if (this.ending.signal.aborted) return;
    this.ending.abort();
    await this.done;
    this.endedMs = performance.now();
    await this.router.finish();
  }

  private async run(): Promise<void> {
    const perMs = this.options.outcomesPerSecond / PER_BUCKET / 1000;
    let turnMs = performance.now();
    let owed = 0;
    while (!this.ending.signal.aborted) {
      const nowMs = performance.now();
      owed = Math.min(BUCKETS_PER_TURN_MAX, owed + (nowMs - turnMs) * perMs);
      turnMs = nowMs;
      const buckets = Math.floor(owed);
      owed -= buckets;
      await this.router.goOn(buckets, GENERATION);
      await delay(Math.max(0, TURN_MS - (performance.now() - nowMs)));
    }
  }
}

function resultOf(
  { times, evaluators }: EvaluatorKillsOptions,
  found: { judgement: Judgement; recoveredMs: readonly number[]; predictions: number; perSecond: number },
): ScenarioResult {
  const { judgement, recoveredMs, predictions, perSecond } = found;
  const { differences, figures } = judgement;
  const passed = differences.count === 0;
  const exact = passed ? `${times} of ${times}` : `not after ${times} (${differences.count} differences)`;
  return {
    passed,
    head: ['evaluators', 'kills', 'outcomes', 'a second', 'twice', 'left out', 'labels', 'cuts', 'verdicts', 'recovered p50', 'p99', 'counts exact'], // prettier-ignore
    rows: [
      [
        String(evaluators),
        String(times),
        predictions.toLocaleString('en'),
        Math.round(perSecond).toLocaleString('en'),
        figures.duplicates.toLocaleString('en'),
        figures.leftOut.toLocaleString('en'),
        figures.labels.toLocaleString('en'),
        figures.verdicts.cuts.toLocaleString('en'),
        figures.verdicts.verdicts.toLocaleString('en'),
        `${Math.round(quantile(recoveredMs, 0.5))} ms`,
        `${Math.round(quantile(recoveredMs, 0.99))} ms`,
        exact,
      ],
    ],
    problems: differences.all().map(({ rule, where, text }) => `${rule}: ${where}: ${text}`),
    summary: `${times} kills of ${evaluators === 1 ? 'the only evaluator' : `one of ${evaluators} evaluators`}: counts exact ${exact}`,
    figures: { ...figures, recoveredMs, predictions, perSecond },
  };
}
