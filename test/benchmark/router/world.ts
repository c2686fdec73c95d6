import { KafkaBus, type RolloutState, createTopicsFor, rolloutStateCodec, silentLogger, topicNames } from '@app/shared';
import { assignmentPoint, POINTS } from '../../../apps/router/src/domain/assignment.js';
import type { LocalStack } from '../../../deploy/local/local-stack.js';
import type { BenchContext } from '../framework/context.js';
import { type ModelServerOptions, startModelServer } from './contestants.js';

/** What a model's versions are like. */
export interface BenchModel {
  readonly model: string;
  readonly stablePort: number;
  readonly canaryPort: number;
  readonly canaryConcurrencyMax?: number;
}

const CANARY_WEIGHT = 0.1;
const CONCURRENCY_MAX = 1024;
const DEADLINE_MS = 10_000;
const saltOf = (model: string): string => `${model}-1`;

/** Users that a model's assignment gives to one version. */
export function usersOf(model: string, version: 'stable' | 'canary', count: number): readonly string[] {
  const users: string[] = [];
  for (let i = 1; users.length < count; i++) {
    const isCanarys = assignmentPoint(saltOf(model), `user-${i}`) < CANARY_WEIGHT * POINTS;
    if (isCanarys === (version === 'canary')) users.push(`user-${i}`);
  }
  return users;
}

/** Topics in a real Kafka and model servers, for the benchmarks of the router. */
export class RouterBenchWorld {
  private readonly servers = new Map<string, Promise<{ readonly port: number }>>();
  private readonly topicPrefix = `bench-${process.pid}-router.`;
  private generation = 0;

  private constructor(
    readonly context: BenchContext,
    private readonly stack: LocalStack,
    private readonly bus: KafkaBus,
  ) {}

  static async open(context: BenchContext): Promise<RouterBenchWorld> {
    const stack = await context.stack();
    const brokers = stack.kafkaBrokers.split(',');
    const bus = new KafkaBus({ brokers, clientId: 'bench', logger: silentLogger });
    context.defer(() => bus.close());
    const world = new RouterBenchWorld(context, stack, bus);
    await createTopicsFor(bus, topicNames(world.topicPrefix));
    return world;
  }

  /** The environment of a router here. */
  get routerEnv(): Readonly<Record<string, string>> {
    return { KAFKA_BROKERS: this.stack.kafkaBrokers, TOPIC_PREFIX: this.topicPrefix };
  }

  /** Null: not ours to stop. */
  get kafka(): LocalStack['kafka'] {
    return this.stack.kafka;
  }

  /** The port of the model server that is like this; each is started once. */
  async modelServer(options: ModelServerOptions = {}): Promise<number> {
    const name = JSON.stringify(options);
    const started = this.servers.get(name) ?? startModelServer(options, this.context);
    this.servers.set(name, started);
    return (await started).port;
  }

  /** Gives a model a stable version and a canary at 10 %; routers that run follow. */
  async publish({ model, stablePort, canaryPort, canaryConcurrencyMax = CONCURRENCY_MAX }: BenchModel): Promise<void> {
    const version = (index: number, port: number, maxConcurrency: number) => ({
      index,
      url: `http://127.0.0.1:${port}`,
      deadlineMs: DEADLINE_MS,
      maxConcurrency,
    });
    const state: RolloutState = {
      schemaVersion: 1,
      model,
      sequence: ++this.generation,
      generation: this.generation,
      updatedAt: 0,
      salt: saltOf(model),
      stable: 'v1',
      canary: 'v2',
      weights: { v1: 1 - CANARY_WEIGHT, v2: CANARY_WEIGHT },
      versions: { v1: version(1, stablePort, CONCURRENCY_MAX), v2: version(2, canaryPort, canaryConcurrencyMax) },
      prediction: { pointer: '/outputs/0/data/0', kind: 'class', tolerance: 0 },
      rolloutCount: 1,
      versionIndexMax: 2,
      versionIndexes: { v1: 1, v2: 2 },
      decisions: [],
      commands: [],
    };
    const topic = topicNames(this.topicPrefix).state;
    const producer = this.bus.producer();
    await producer.send([{ topic, key: model, value: rolloutStateCodec.encode(state) }]);
    await producer.close();
  }
}
