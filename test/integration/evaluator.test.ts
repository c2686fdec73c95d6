import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type BusFollower,
  createRedis,
  createTopicsFor,
  type Cut,
  cutCodec,
  KafkaBus,
  modelHash,
  partitionOf,
  PredictionIdSealer,
  rolloutStateCodec,
  silentLogger,
  type TopicNames,
  topicNames,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aState } from '../../apps/evaluator/src/testing/builders.js';
import type { FoldedCounts, FoldedLabels } from '../../apps/evaluator/src/testing/recording-engine.js';
import { type ServiceProcess, startServiceProcess } from '../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../deploy/local/guard.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { Recount, SyntheticRouter, withoutLeftOut } from './evaluator-traffic.js';
import { buildApps } from '../fixtures/build-apps.js';

const DATA_PARTITIONS = 4;
const CONTROL_PARTITIONS = 2;
/** One model in each partition of models. */
const MODELS = [0, 1].map((owner) =>
  ['fraud', 'churn', 'digits', 'price'].find((model) => partitionOf(model, CONTROL_PARTITIONS) === owner)!,
);
const GENERATION = 2;
const LABELS_WITHIN_MS = 5_000;
const SECRET = Buffer.alloc(32, 7);
const SETTLE_MS_MAX = 90_000;
/** Of ten predictions each: some 1,000 predictions a second, which leaves the machine to the evaluators. */
const BUCKETS_EACH_TURN = 2;
const TURN_MS = 20;

/** What a recording engine says of itself in a verdict. */
interface Recorded {
  readonly counts: Record<string, FoldedCounts>;
  readonly labels: FoldedLabels;
}
const sumOf = (labels: FoldedLabels): number => Object.values(labels).reduce((sum, { n }) => sum + n, 0);

let stack: LocalStack;
let world: World;

beforeAll(async () => {
  buildApps(['evaluator']);
  stack = await startLocalStack();
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world?.close());

/** Topics of their own, a router of ours, everything that evaluators publish, and a recount of everything that was sent. */
class World {
  private readonly sealer = new PredictionIdSealer([{ number: 0, secret: SECRET }]);
  readonly recount = new Recount(this.sealer, LABELS_WITHIN_MS);
  readonly cuts = new Map<number, Cut[]>();
  readonly verdicts: Verdict[] = [];
  readonly processes: ServiceProcess[] = [];
  private readonly guard = new Guard();
  private readonly folder = mkdtempSync(join(tmpdir(), 'model-canary-evaluator-'));
  private readonly router: SyntheticRouter;
  private readonly followers: BusFollower[];
  private traffic: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;

  private constructor(
    private readonly bus: KafkaBus,
    private readonly prefix: string,
    private readonly topics: TopicNames,
  ) {
    this.guard.watch('folder', this.folder);
    const outcome = bus.follower({
      topics: [topics.outcome],
      onBatch: (batch) => this.recount.add(batch),
    });
    const label = bus.follower({ topics: [topics.label], onBatch: (batch) => this.recount.addLabels(batch) });
    const verdict = bus.follower({
      topics: [topics.verdict],
      readCommitted: true,
      onBatch: (batch) => batch.records.forEach(({ value }) => this.read(value)),
    });
    this.followers = [outcome, label, verdict];
    this.router = new SyntheticRouter({
      producer: bus.producer(),
      topics,
      sealer: this.sealer,
      partitions: DATA_PARTITIONS,
      models: MODELS,
      seed: 7,
    });
  }

  static async open(): Promise<World> {
    const prefix = `evaluator-${randomBytes(4).toString('hex')}.`;
    const topics = topicNames(prefix);
    const bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'test', logger: silentLogger });
    await createTopicsFor(bus, topics, { dataPartitions: DATA_PARTITIONS, controlPartitions: CONTROL_PARTITIONS });
    const states = MODELS.map((model) => ({
      topic: topics.state,
      key: model,
      value: rolloutStateCodec.encode(aState(model, 0, { labelsWithinMs: LABELS_WITHIN_MS })),
    }));
    await bus.producer().send(states);
    return new World(bus, prefix, topics);
  }

  async close(): Promise<void> {
    this.traffic?.stop.abort();
    await this.traffic?.done;
    for (const process of this.processes) process.signal('SIGKILL');
    await Promise.all(this.processes.map(({ exited }) => exited));
    await this.bus.close();
    await this.guard.end();
  }

  /** An evaluator with engines that record, or with the verdict engine. */
  async start(program = 'test/recording-evaluator'): Promise<ServiceProcess> {
    const started = await startServiceProcess({
      name: 'evaluator',
      main: new URL(`../../dist/${program}/main.js`, import.meta.url),
      env: {
        KAFKA_BROKERS: stack.kafkaBrokers,
        REDIS_URL: stack.redisUrl,
        REDIS_PREFIX: this.prefix,
        TOPIC_PREFIX: this.prefix,
        PREDICTION_ID_KEYS: `0:${SECRET.toString('base64')}`,
      },
      logFile: join(this.folder, 'evaluator.log'),
      guard: this.guard,
    });
    this.processes.push(started);
    return started;
  }

  /** Traffic that never pauses until settle(). */
  flow(): void {
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await this.router.goOn(BUCKETS_EACH_TURN, GENERATION);
        await delay(TURN_MS);
      }
    };
    this.traffic = { stop, done: run() };
  }

  /** Ends the traffic and waits until everything sent is counted, both here and there, or time is up. */
  async settle(): Promise<void> {
    this.traffic?.stop.abort();
    await this.traffic?.done;
    await this.router.finish();
    await Promise.all(this.followers.map((follower) => follower.caughtUp()));
    const untilMs = performance.now() + SETTLE_MS_MAX;
    while (performance.now() < untilMs && !MODELS.every((model) => this.isSettled(model))) await delay(100);
  }

  private isSettled(model: string): boolean {
    const labels = this.recount.labels.get(modelHash(model)) ?? {};
    return this.buckets(model) >= this.recounted(model) && sumOf(this.labels(model)) >= sumOf(labels);
  }

  /** What the newest verdict of a model says was folded. */
  folded(model: string): Record<string, FoldedCounts> {
    return withoutLeftOut(this.recorded(model)?.counts ?? {});
  }

  labels(model: string): FoldedLabels {
    return this.recorded(model)?.labels ?? {};
  }

  buckets(model: string): number {
    return this.folded(model)[`${GENERATION}/v1`]?.buckets ?? 0;
  }

  /** Waits until evaluators have folded more of every model than they had. */
  async progress(): Promise<void> {
    const before = MODELS.map((model) => this.buckets(model));
    while (MODELS.some((model, i) => this.buckets(model) <= before[i]!)) await delay(20);
  }

  async moreVerdicts(count: number): Promise<void> {
    const enough = this.verdicts.length + count;
    while (this.verdicts.length < enough) await delay(20);
  }

  expectExact(): void {
    for (const model of MODELS) {
      expect(this.folded(model)).toEqual(withoutLeftOut(this.recount.counts.get(model) ?? {}));
      expect(this.labels(model)).toEqual(this.recount.labels.get(modelHash(model)) ?? {});
    }
    expect(new Set(this.verdicts.map(({ reason }) => reason.code))).toEqual(new Set(['recorded']));
    this.expectOrder();
  }

  /** Every cut follows the one before, and nothing was for a person to look at. */
  expectOrder(): void {
    for (const [owner, cuts] of this.cuts) {
      const numbers = cuts.map(({ number }) => number);
      expect(numbers, `cuts of owner ${owner}`).toEqual(numbers.map((_, i) => i + 1));
    }
    expect(this.log().filter(({ level }) => level >= 50)).toEqual([]);
  }

  /** By an engine that tells what it has counted, and judges nothing. */
  private isRecorded(): boolean {
    return this.verdicts.some(({ reason }) => reason.code === 'recorded');
  }

  report(what: string): void {
    const { predictions } = this.router;
    const { duplicates, late } = this.recount;
    const labels = MODELS.reduce((sum, model) => sum + sumOf(this.labels(model)), 0);
    const buckets = MODELS.map((model) => `${model} ${this.buckets(model)}`).join(', ');
    const folded = this.isRecorded() ? `buckets folded: ${buckets}, labels folded: ${labels}, late: ${late}` : 'judged';
    const cuts = [...this.cuts.values()].reduce((sum, list) => sum + list.length, 0);
    const log = this.log();
    const took = log.filter(({ msg }) => msg === 'took over');
    const along = took.reduce((sum, { cutsFolded = 0 }) => sum + cutsFolded, 0);
    const lost = log.flatMap(({ msg, code }) => (msg === 'owns nothing, begins again' && code ? [code] : []));
    process.stderr.write(
      `${what}: ${predictions} predictions, ${duplicates} duplicate records, ` +
        `${folded};  ${cuts} cuts, ` +
        `${took.length} takeovers along ${along} cuts, ownership lost: ${lost.join(', ') || 'never'}\n`,
    );
  }

  /** What all evaluators together have said. */
  log(): readonly {
    readonly msg: string;
    readonly level: number;
    readonly code?: string;
    readonly cutsFolded?: number;
  }[] {
    const lines = readFileSync(join(this.folder, 'evaluator.log'), 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as { msg: string; level: number });
  }

  private recorded(model: string): Recorded | undefined {
    return this.verdicts.findLast((verdict) => verdict.model === model)?.baseline as Recorded | undefined;
  }

  private recounted(model: string): number {
    return this.recount.counts.get(model)?.[`${GENERATION}/v1`]?.buckets ?? 0;
  }

  private read(value: Buffer | null): void {
    const cut = cutCodec.decode(value);
    if (cut.ok) this.cuts.set(cut.value.owner, [...(this.cuts.get(cut.value.owner) ?? []), cut.value]);
    const verdict = verdictCodec.decode(value);
    if (verdict.ok) this.verdicts.push(verdict.value);
  }
}

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`model_canary_evaluator_${name} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(50);
}

describe('evaluators on a real Kafka and Redis', () => {
  it('killed ten times in mid-flow count every outcome once', { timeout: 400_000 }, async () => {
    let evaluator = await world.start();
    world.flow();
    for (let kill = 0; kill < 10; kill++) {
      await world.progress();
      await delay(151 * kill); // at another moment between two cuts each time, and after more of them
      evaluator.signal('SIGKILL');
      await evaluator.exited;
      evaluator = await world.start();
    }
    await world.progress();
    await world.settle();
    world.report('ten kills');
    world.expectExact();
    expect(await evaluator.stop()).toBe(0);
  });

  it('whose Redis is flushed in mid-flow count every outcome once', { timeout: 300_000 }, async () => {
    const evaluator = await world.start();
    world.flow();
    await world.progress();
    const redis = createRedis(stack.redisUrl, { logger: silentLogger });
    await once(redis, 'ready');
    for (let flush = 0; flush < 3; flush++) {
      await delay(1_000 + 500 * flush);
      await redis.flushall();
      await world.progress();
    }
    redis.disconnect();
    await world.settle();
    world.report('three flushes');
    world.expectExact();
    expect(await evaluator.stop()).toBe(0);
  });

  it(
    'that share the work hand it over: one joins, one is stopped, one is suspended and comes back',
    { timeout: 300_000 },
    async () => {
      const first = await world.start();
      world.flow();
      await world.progress();
      const second = await world.start();
      await world.progress();
      // Both have a part of the outcomes and a part of the models.
      for (const { url } of [first, second]) {
        await until(async () => (await metric(url, 'folded_total{kind="outcome"}')) > 0);
        await until(async () => (await metric(url, 'owned_partitions')) === 1);
      }
      expect(await first.stop()).toBe(0);
      await world.progress();
      const third = await world.start();
      await world.progress();
      second.signal('SIGSTOP'); // long enough for the group to give its partitions away
      await world.progress();
      await delay(10_000);
      await world.progress();
      second.signal('SIGCONT');
      await world.progress();
      await delay(3_000);
      await world.progress();
      await world.settle();
      world.report('handed over');
      world.expectExact();
      expect(await third.stop()).toBe(0);
      expect(await second.stop()).toBe(0);
    },
  );

  it('outlive a Redis and a Kafka that are killed', { timeout: 300_000 }, async (context) => {
    const { redis, kafka } = stack;
    if (!redis || !kafka) return context.skip(); // somebody's servers are not for us to kill
    const evaluator = await world.start();
    world.flow();
    await world.progress();
    await redis.signal('SIGKILL');
    await delay(3_000);
    await redis.start();
    await world.progress();
    await kafka.signal('SIGKILL');
    await delay(5_000);
    await kafka.start();
    await world.progress();
    await redis.signal('SIGSTOP');
    await delay(7_000); // longer than a command is waited for
    await redis.signal('SIGCONT');
    await world.progress();
    await world.settle();
    world.report('servers killed');
    world.expectExact();
    expect(await evaluator.stop()).toBe(0);
  });

  it('with the verdict engine come to the published verdicts again after each kill', { timeout: 300_000 }, async () => {
    let evaluator = await world.start('services/evaluator');
    world.flow();
    for (let kill = 0; kill < 2; kill++) {
      await world.moreVerdicts(20);
      await delay(2_500 * kill);
      evaluator.signal('SIGKILL');
      await evaluator.exited;
      evaluator = await world.start('services/evaluator');
    }
    await world.moreVerdicts(20);
    expect(await evaluator.stop()).toBe(0);
    world.report('two kills');
    world.expectOrder();
    const codes = new Set(world.verdicts.map(({ reason }) => reason.code));
    expect([...codes].filter((code) => code.startsWith('evaluator-'))).toEqual([]);
    for (const model of MODELS) expect(world.verdicts.some((verdict) => verdict.model === model)).toBe(true);
  });
});
