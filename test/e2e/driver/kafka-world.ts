import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopicsFor, KafkaBus, silentLogger, topicNames } from '@app/shared';
import { type ServiceProcess, startServiceProcess } from '../../../apps/standalone/src/demo/service-process.js';
import { Guard } from '../../../deploy/local/guard.js';
import { type LocalStack, startLocalStack } from '../../../deploy/local/local-stack.js';
import type { World } from './world.js';

export type App = 'router' | 'evaluator' | 'controller';

export interface KafkaWorld extends World {
  readonly stack: LocalStack;
  /** What every service is told of Kafka, Redis and the keys. */
  readonly env: Readonly<Record<string, string>>;
  /** One more process of a service. `dataFolder`: a router's, to start one where another has been. */
  start(app: App, options?: { readonly dataFolder?: string }): Promise<ServiceProcess>;
  running(app: App): readonly ServiceProcess[];
  newFolder(): string;
  /** Where the services' logs are. */
  readonly folder: string;
}

export interface KafkaWorldOptions {
  readonly routers: number;
  readonly evaluators: number;
  readonly controllers: number;
}

const READY_EVERY_MS = 100;

/** The services as processes of their own on a real Kafka and Redis. */
export async function startKafkaWorld(options: KafkaWorldOptions): Promise<KafkaWorld> {
  await using started = new AsyncDisposableStack();
  const stack = await startLocalStack({ log: (line) => process.stderr.write(`${line}\n`) });
  started.defer(() => stack.stop());
  const prefix = `e2e-${randomBytes(4).toString('hex')}.`;
  const topics = topicNames(prefix);
  const bus = new KafkaBus({ brokers: stack.kafkaBrokers.split(','), clientId: 'e2e', logger: silentLogger });
  started.defer(() => bus.close());
  await createTopicsFor(bus, topics, { dataPartitions: 6, controlPartitions: 4 });
  const env = {
    KAFKA_BROKERS: stack.kafkaBrokers,
    REDIS_URL: stack.redisUrl,
    REDIS_PREFIX: prefix,
    TOPIC_PREFIX: prefix,
    PREDICTION_ID_KEYS: `0:${randomBytes(32).toString('base64')}`,
  };
  const services = new Services(env);
  started.defer(() => services.close());
  const counts = { router: options.routers, evaluator: options.evaluators, controller: options.controllers };
  const wanted = (Object.keys(counts) as App[]).flatMap((app) => new Array<App>(counts[app]).fill(app));
  await Promise.all(wanted.map((app) => services.start(app)));
  const everything = started.move();
  return {
    stack,
    env,
    bus,
    topics,
    folder: services.folder,
    routerUrls: () => services.readyRouters,
    controllerUrl: () => services.running('controller')[0]!.url,
    start: (app, startOptions) => services.start(app, startOptions),
    running: (app) => services.running(app),
    newFolder: () => services.newFolder(),
    close: () => everything.disposeAsync(),
  };
}

class Services {
  readonly folder = mkdtempSync(join(tmpdir(), 'model-canary-e2e-'));
  readyRouters: readonly string[] = [];
  private readonly guard = new Guard();
  private readonly processes: { readonly app: App; readonly service: ServiceProcess }[] = [];
  private readonly polling = setInterval(() => void this.askRouters(), READY_EVERY_MS);
  private folders = 0;

  constructor(private readonly env: Readonly<Record<string, string>>) {
    this.guard.watch('folder', this.folder);
  }

  async start(app: App, { dataFolder = this.newFolder() } = {}): Promise<ServiceProcess> {
    const service = await startServiceProcess({
      name: app,
      main: new URL(`../../../dist/services/${app}/main.js`, import.meta.url),
      env: { ...this.env, ROUTER_DATA_DIR: dataFolder },
      logFile: join(this.folder, `${app}.log`),
      guard: this.guard,
    });
    const entry = { app, service };
    this.processes.push(entry);
    void service.exited.then(() => this.processes.splice(this.processes.indexOf(entry), 1));
    return service;
  }

  running(app: App): readonly ServiceProcess[] {
    return this.processes.filter((entry) => entry.app === app).map(({ service }) => service);
  }

  newFolder(): string {
    const folder = join(this.folder, `data-${this.folders++}`);
    mkdirSync(folder);
    return folder;
  }

  async close(): Promise<void> {
    clearInterval(this.polling);
    await Promise.all(this.processes.map(({ service }) => service.stop()));
    await this.guard.end();
  }

  /** As a load balancer does. */
  private async askRouters(): Promise<void> {
    const urls = this.running('router').map(({ url }) => url);
    const ready = await Promise.all(
      urls.map((url) =>
        fetch(`${url}/health/ready`, { headers: { connection: 'close' }, signal: AbortSignal.timeout(1000) }).then(
          (r) => r.ok,
          () => false,
        ),
      ),
    );
    this.readyRouters = urls.filter((_, i) => ready[i]);
  }
}
