import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  createTopicsFor,
  KafkaBus,
  PredictionIdSealer,
  renderRolloutSpec,
  type ReplayVerdict,
  type ReplaySummary,
  type RolloutSpec,
  type RolloutState,
  silentLogger,
  systemClock,
  type TopicNames,
  topicNames,
  type Verdict,
  verdictCodec,
} from '@app/shared';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { replayLines } from '../../apps/cli/src/replay-process.js';
import { type CliRun, runAtTerminal } from '../../apps/cli/src/testing/fake-terminal.js';
import type { RolloutInput } from '../../apps/controller/src/domain/rollout/inputs.js';
import { transition } from '../../apps/controller/src/domain/rollout/transition.js';
import { decisionRecord, stateRecord } from '../../apps/controller/src/ownership/records.js';
import { command, version } from '../../apps/controller/test/builders.js';
import { aSpec } from '../../apps/evaluator/src/testing/builders.js';
import { type ServiceProcess, startServiceProcess } from '../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../deploy/local/guard.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { SyntheticRouter } from './evaluator-traffic.js';
import { buildApps } from '../fixtures/build-apps.js';

const MODEL = 'digits';
const DATA_PARTITIONS = 4;
const SECRET = Buffer.alloc(32, 7);
const PROGRAM = fileURLToPath(new URL('../../dist/services/replay/main.js', import.meta.url));

let stack: LocalStack;
let world: World;

beforeAll(async () => {
  buildApps(['evaluator']);
  stack = await startLocalStack({ kafka: false });
});
afterAll(() => stack?.stop());
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world?.close());

/** A real evaluator; the controller's decisions are made here, by its own code. */
class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'model-canary-replay-test-'));
  readonly verdicts: Verdict[] = [];
  readonly spec: RolloutSpec = { ...aSpec(MODEL, 3_000), stable: version('v1'), canary: version('v2') };
  private readonly guard = new Guard();
  private readonly router: SyntheticRouter;
  private evaluator: ServiceProcess | null = null;
  private state: RolloutState | null = null;
  private traffic: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;

  private constructor(
    private readonly bus: KafkaBus,
    private readonly prefix: string,
    private readonly topics: TopicNames,
  ) {
    this.guard.watch('folder', this.folder);
    const sealer = new PredictionIdSealer([{ number: 0, secret: SECRET }]);
    const routed = { partitions: DATA_PARTITIONS, models: [MODEL], seed: 5 };
    this.router = new SyntheticRouter({ producer: bus.producer(), topics, sealer, ...routed });
    bus.follower({
      topics: [topics.verdict],
      readCommitted: true,
      onBatch: ({ records }) => {
        for (const { value } of records) {
          const verdict = verdictCodec.decode(value);
          if (verdict.ok) this.verdicts.push(verdict.value);
        }
      },
    });
  }

  static async open(): Promise<World> {
    const prefix = `replay-${randomBytes(4).toString('hex')}.`;
    const topics = topicNames(prefix);
    const bus = new KafkaBus({ brokers: inject('sharedKafka').split(','), clientId: 'test', logger: silentLogger });
    await createTopicsFor(bus, topics, { dataPartitions: DATA_PARTITIONS, controlPartitions: 2 });
    return new World(bus, prefix, topics);
  }

  async close(): Promise<void> {
    await this.rest();
    this.evaluator?.signal('SIGKILL');
    await this.evaluator?.exited;
    await this.bus.close();
    await this.guard.end();
  }

  get env(): Record<string, string> {
    return {
      KAFKA_BROKERS: inject('sharedKafka'),
      TOPIC_PREFIX: this.prefix,
      PREDICTION_ID_KEYS: `0:${SECRET.toString('base64')}`,
    };
  }

  async startEvaluator(): Promise<void> {
    this.evaluator = await startServiceProcess({
      name: 'evaluator',
      main: new URL('../../dist/services/evaluator/main.js', import.meta.url),
      env: { ...this.env, REDIS_URL: stack.redisUrl, REDIS_PREFIX: this.prefix },
      logFile: join(this.folder, 'evaluator.log'),
      guard: this.guard,
    });
  }

  async killEvaluator(): Promise<void> {
    this.evaluator!.signal('SIGKILL');
    await this.evaluator!.exited;
    await this.startEvaluator();
  }

  async stopEvaluator(): Promise<void> {
    expect(await this.evaluator!.stop()).toBe(0);
  }

  /** What the controller would do, and publish. */
  async decide(input: RolloutInput): Promise<void> {
    const moved = transition(this.state, input, { nowMs: Date.now() });
    this.state = moved.state;
    const decisions = moved.decisions.map((decision) => decisionRecord(this.topics, decision));
    const producer = this.bus.producer();
    await producer.send([...decisions, stateRecord(this.topics, moved.state!)]);
    await producer.close();
  }

  async start(): Promise<void> {
    await this.decide({ kind: 'command', command: command('apply', { model: MODEL, spec: this.spec }) });
    await this.decide({ kind: 'readiness', rollout: `${MODEL}-1`, ready: true, detail: '200' });
  }

  async tell(action: 'promote' | 'pause' | 'resume' | 'abort'): Promise<void> {
    await this.decide({ kind: 'command', command: command(action, { model: MODEL, reason: 'test' }) });
  }

  /** Traffic under whatever generation there is, until rest(). */
  flow(): void {
    const stop = new AbortController();
    const run = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await this.router.goOn(5, this.state!.generation);
        await delay(50);
      }
    };
    this.traffic = { stop, done: run() };
  }

  async rest(): Promise<void> {
    this.traffic?.stop.abort();
    await this.traffic?.done;
    this.traffic = null;
  }

  async moreVerdicts(count: number, inStep = -1): Promise<void> {
    const ours = (): number => this.verdicts.filter(({ step }) => inStep < 0 || step === inStep).length;
    const enough = ours() + count;
    while (ours() < enough) await delay(20);
  }

  async ctl(line: string): Promise<CliRun> {
    const { env } = this;
    const { signal } = new AbortController();
    return runAtTerminal(line.split(' '), {
      env,
      clock: systemClock,
      signal,
      readFile: async (path) => readFileSync(path, 'utf8'),
      sleep: (ms) => delay(ms),
      replay: (args) => replayLines(args, { env: { ...process.env, ...env }, signal, program: PROGRAM }),
      connectBus: () =>
        new KafkaBus({ brokers: inject('sharedKafka').split(','), clientId: 'ctl', logger: silentLogger }),
    });
  }

  /** Runs a replay and reads what it printed. */
  async replay(
    args: string,
  ): Promise<{ exit: number; verdicts: ReplayVerdict[]; summary: ReplaySummary; gaps: unknown[] }> {
    const { exit, out, err } = await this.ctl(`replay ${args} -o json`);
    expect(out, err).not.toBe('');
    return { exit, ...(JSON.parse(out) as { verdicts: ReplayVerdict[]; summary: ReplaySummary; gaps: unknown[] }) };
  }
}

/** Two steps, a pause within the second, then aborted; with the evaluator killed where told. */
async function wholeRollout(between: () => Promise<void>): Promise<void> {
  await world.startEvaluator();
  await world.start();
  world.flow();
  await world.moreVerdicts(30);
  await between();
  await world.moreVerdicts(20);
  await world.tell('promote');
  await world.moreVerdicts(10, 1);
  await world.tell('pause');
  await between();
  await world.moreVerdicts(10);
  await world.tell('resume');
  await world.moreVerdicts(10);
  await world.tell('abort');
  await delay(1_500);
  await world.rest();
  await world.stopEvaluator();
}

describe('canaryctl replay on a real Kafka', () => {
  it(
    'gives the published bytes again, from the topics and from a file, and other results for other limits',
    { timeout: 240_000 },
    async () => {
      await wholeRollout(async () => undefined);
      const { exit, summary, gaps } = await world.replay(`${MODEL} --from-topic`);
      expect({ firstDifference: summary.firstDifference, gaps }).toEqual({ firstDifference: null, gaps: [] });
      expect([exit, summary.identical]).toEqual([0, summary.verdicts]);
      expect(summary.verdicts).toBe(world.verdicts.length);
      expect(summary.rollouts).toEqual([`${MODEL}-1`]);
      process.stderr.write(
        `replayed: ${summary.verdicts} verdicts in ${summary.cuts} cuts, ${summary.identical} identical\n`,
      );

      const exported = await world.ctl(`export ${MODEL}`);
      const file = join(world.folder, 'records.jsonl');
      writeFileSync(file, exported.out);
      expect(exported.exit).toBe(0);
      expect((await world.replay(`--records ${file}`)).summary).toEqual(summary);

      const { spec } = world;
      const strict = {
        ...spec,
        checks: { ...spec.checks, errorRate: { maxIncrease: 0.01, max: 0.05, strict: false } },
      };
      const other = join(world.folder, 'strict.yaml');
      writeFileSync(other, renderRolloutSpec(strict));
      const judged = await world.replay(`${MODEL} --from-topic --file ${other}`);
      expect(judged.exit).toBe(2);
      expect(judged.summary.milestones).toContainEqual(expect.objectContaining({ result: 'fail', givenAt: null }));
      expect((await world.ctl(`replay ${MODEL} --from-topic`)).out).toMatch(/\d+ verdicts in \d+ cuts: \d+ identical/);
    },
  );

  it('does so when the evaluator was killed in the middle, twice', { timeout: 240_000 }, async () => {
    await wholeRollout(() => world.killEvaluator());
    const { exit, summary } = await world.replay(`${MODEL} --from-topic`);
    expect(summary.firstDifference).toBeNull();
    expect([exit, summary.identical]).toEqual([0, summary.verdicts]);
    expect(summary.verdicts).toBe(world.verdicts.length);
    process.stderr.write(`after two kills: ${summary.verdicts} verdicts in ${summary.cuts} cuts, all identical\n`);
  });

  it('says that a model has no verdicts', async () => {
    await world.start();
    const { exit, err } = await world.ctl(`replay ${MODEL} --from-topic`);
    expect([exit, err]).toEqual([1, expect.stringMatching(/holds no verdicts of digits/)]);
    expect((await world.ctl('replay nobody --from-topic')).err).toMatch(/nothing was decided about a model nobody/);
  });
});
