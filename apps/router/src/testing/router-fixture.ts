import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BucketRecord,
  type Clock,
  MemoryBus,
  type Outcome,
  type OutcomeRecord,
  PredictionIdSealer,
  type RolloutState,
  type RunningService,
  createTopicsFor,
  loadConfig,
  randomSealingKey,
  rolloutStateCodec,
  silentLogger,
  systemClock,
  topicNames,
} from '@app/shared/core';
import { RouterConfig } from '../config.js';
import { startRouter } from '../start.js';
import { type StateChanges, rolloutState } from './rollout-state.js';
import { seededRandom } from './seeded-random.js';
import { until } from './until.js';

export const topics = topicNames();

/** A whole router on the memory bus and a directory of its own. For tests. */
export class RouterFixture {
  readonly bus = new MemoryBus();
  readonly sealer = new PredictionIdSealer([randomSealingKey()]);
  /** Everything in the outcome topic, in the order of each partition. */
  readonly records: OutcomeRecord[] = [];
  router!: RunningService;
  private readonly producer = this.bus.producer();
  readonly dataDir = mkdtempSync(join(tmpdir(), 'router-'));

  private constructor(private readonly clock: Clock) {}

  /** `clock`: the router's. */
  static async start(env: Record<string, string> = {}, clock: Clock = systemClock): Promise<RouterFixture> {
    const fixture = new RouterFixture(clock);
    await createTopicsFor(fixture.bus, topics, { dataPartitions: 4 });
    fixture.bus.follower({
      topics: [topics.outcome],
      onBatch: ({ records }) => {
        for (const { value } of records) fixture.records.push(JSON.parse(String(value)) as OutcomeRecord);
      },
    });
    await fixture.startRouter(env);
    return fixture;
  }

  async startRouter(env: Record<string, string> = {}): Promise<void> {
    const config = loadConfig(RouterConfig, {
      KAFKA_BROKERS: 'none:1',
      PREDICTION_ID_KEYS: `0:${Buffer.alloc(32, 1).toString('base64')}`,
      ROUTER_DATA_DIR: this.dataDir,
      ROUTER_DRAIN_DELAY_MS: '0',
      ROUTER_FLUSH_MS: '1',
      ROUTER_FLUSH_MS_MAX: '1',
      ...env,
    });
    const { bus, sealer, clock } = this;
    const random = seededRandom(1);
    this.router = await startRouter({ config, topics, bus, sealer, clock, logger: silentLogger, random });
  }

  async publish(changes: StateChanges): Promise<RolloutState> {
    const state = rolloutState(changes);
    await this.send(state.model, rolloutStateCodec.encode(state));
    return state;
  }

  publishRubbish(model: string): Promise<void> {
    return this.send(model, Buffer.from('{"schemaVersion":1,"model":'));
  }

  publishTombstone(model: string): Promise<void> {
    return this.send(model, null);
  }

  private async send(model: string, value: Buffer | null): Promise<void> {
    // All models on one partition: a test can wait for a later record to know that an earlier one was read.
    await this.producer.send([{ topic: topics.state, partition: 0, key: model, value }]);
  }

  /** Publishes a state and waits until the router serves it. */
  async apply(changes: StateChanges): Promise<void> {
    const state = await this.publish(changes);
    const generation = `model_canary_router_generation{model="${state.model}"} ${state.generation}`;
    await until(async () => (await this.metrics()).includes(generation));
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.router.url}/metrics`)).text();
  }

  get outcomes(): readonly Outcome[] {
    return this.records.filter((r) => r.kind === 'outcome');
  }

  get buckets(): readonly BucketRecord[] {
    return this.records.filter((r) => r.kind === 'bucket');
  }

  /** Waits for the nth outcome and returns it. */
  async outcome(n = 1): Promise<Outcome> {
    await until(() => this.outcomes.length >= n);
    return this.outcomes[n - 1]!;
  }

  open(id: string | null) {
    const opened = this.sealer.open(id ?? '');
    if (!opened.ok) throw new Error(opened.problems[0]!.message);
    return opened.value;
  }

  predict(path = '/v2/models/m/infer', init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.router.url}${path}`, { method: 'POST', body: '{"inputs":[]}', ...init });
  }

  async close(): Promise<void> {
    await this.router.close();
    await this.bus.close();
    rmSync(this.dataDir, { recursive: true });
  }
}
