import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Clock,
  configuredSealer,
  createTopicsFor,
  type Env,
  loadConfig,
  type Logger,
  MemoryBus,
  type MessageBus,
  PredictionIdSealer,
  randomSealingKey,
  type RunningService,
  startTracing,
  type TopicNames,
  topicNames,
  type Tracing,
} from '@app/shared';
import { ControllerConfig } from '../../controller/src/config.js';
import { startController } from '../../controller/src/start.js';
import { EvaluatorConfig } from '../../evaluator/src/config.js';
import { MemorySlotStore } from '../../evaluator/src/slot-store/memory-slot-store.js';
import { startEvaluator } from '../../evaluator/src/start.js';
import { RouterConfig } from '../../router/src/config.js';
import { startRouter } from '../../router/src/start.js';
import { StandaloneConfig } from './config.js';

export interface StandaloneDeps {
  /** Variables of the router, the evaluator and the controller; what is said of Kafka and Redis has no meaning here. */
  readonly env: Env;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: as TRACES says. */
  readonly tracing?: Tracing;
}

export interface Standalone extends RunningService {
  readonly routerUrl: string;
  readonly controllerUrl: string;
  readonly evaluatorUrl: string;
  readonly bus: MessageBus;
  readonly topics: TopicNames;
}

/** As many as a small Kafka would have, so that what depends on partitions is met here too. */
const PARTITIONS = { dataPartitions: 4, controlPartitions: 4 };

/** Fills what the services' configurations ask for and memory adapters do not need. */
const NOT_USED = {
  KAFKA_BROKERS: 'memory:1',
  REDIS_URL: 'redis://memory',
  PREDICTION_ID_KEYS: `0:${Buffer.alloc(32).toString('base64')}`,
};

/**
 * Router, evaluator and controller in this process, on a message bus and stores in memory: all is lost when it ends,
 * prediction ids too unless PREDICTION_ID_KEYS is set. `url` is the controller's.
 */
export async function startStandalone({ env, clock, logger, tracing: given }: StandaloneDeps): Promise<Standalone> {
  await using started = new AsyncDisposableStack();
  const ports = loadConfig(StandaloneConfig, env);
  // Weights that an earlier start left on disk would be of a bus that is gone.
  const folder = await mkdtemp(join(tmpdir(), 'model-canary-'));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const configOf = <T extends object>(type: new () => T, port: number): T =>
    loadConfig(type, {
      ...NOT_USED,
      INSTANCE: ports.INSTANCE,
      ...env,
      ROUTER_DATA_DIR: folder,
      HTTP_PORT: String(port),
    });
  const evaluatorConfig = configOf(EvaluatorConfig, ports.EVALUATOR_PORT);
  const sealer = env['PREDICTION_ID_KEYS']
    ? configuredSealer(evaluatorConfig)
    : new PredictionIdSealer([randomSealingKey()]);
  const topics = topicNames();
  const tracing = given ?? (await startTracing(evaluatorConfig, 'standalone'));
  started.defer(async () => tracing?.close());
  const memory = new MemoryBus({ clock });
  const bus = tracing?.bus(memory, topics) ?? memory;
  started.defer(() => bus.close());
  await createTopicsFor(bus, topics, PARTITIONS);
  const slotStore = new MemorySlotStore();
  const common = { bus, topics, clock, logger, tracing };
  const keep = (service: RunningService): RunningService => {
    started.defer(() => service.close());
    return service;
  };
  // They end in the opposite order: the router hands over its last outcomes while the others still listen.
  const controllerConfig = configOf(ControllerConfig, ports.CONTROLLER_PORT);
  const controller = keep(await startController({ ...common, config: controllerConfig, windows: slotStore.windows }));
  const evaluator = keep(await startEvaluator({ ...common, config: evaluatorConfig, slotStore, sealer }));
  const routerConfig = configOf(RouterConfig, ports.ROUTER_PORT);
  const router = keep(await startRouter({ ...common, config: routerConfig, sealer }));
  const everything = started.move();
  return {
    url: controller.url,
    routerUrl: router.url,
    controllerUrl: controller.url,
    evaluatorUrl: evaluator.url,
    bus,
    topics,
    close: () => everything.disposeAsync(),
  };
}
