import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTopicsFor,
  KafkaBus,
  PredictionIdSealer,
  type SealingKey,
  silentLogger,
  type TopicNames,
  topicNames,
} from '@app/shared';
import { Guard } from '../../../deploy/local/guard.js';
import { cacheFolder } from '../../../deploy/local/kafka-artifacts.js';
import { startKafkaCluster } from '../../../deploy/local/kafka-server.js';
import type { LocalServer, Say } from '../../../deploy/local/local-server.js';
import { freePort } from '../../../deploy/local/ports.js';
import { SERVICE_FLAGS } from '../../../deploy/local/service-flags.js';
import { Link } from './link.js';
import { RedisWithSnapshots } from './redis-with-snapshots.js';
import { type App, APPS, type Incarnation, ServiceSlot } from './service-slot.js';

export interface FaultWorldOptions {
  /** One, or three. */
  readonly brokers: number;
  readonly counts: Readonly<Record<App, number>>;
  /** Slots that are there and not started: for a rebalance. */
  readonly spares?: Partial<Readonly<Record<App, number>>>;
  readonly dataPartitions?: number;
  readonly controlPartitions?: number;
  /** Further environment of the services. */
  readonly env?: Partial<Readonly<Record<App, Readonly<Record<string, string>>>>>;
  /** Further options of Node, besides those of the services' images. */
  readonly nodeFlags?: readonly string[];
  /** A router whose data directory is a disk of its own of so many bytes, and whose spool is bounded by 1 MiB. */
  readonly smallDisk?: { readonly slot: string; readonly bytes: number };
  /** Nothing between the services and the servers: where times and CPU are measured. */
  readonly direct?: boolean;
  /** Kafka's JVM with all its optimisations: where times are measured. */
  readonly optimised?: boolean;
  readonly say: Say;
}

/** A Kafka, a Redis and the services as processes, each service with proxies of its own in its ways to both. */
export interface FaultWorld {
  readonly kafka: readonly LocalServer[];
  readonly redis: RedisWithSnapshots;
  readonly slots: readonly ServiceSlot[];
  readonly topics: TopicNames;
  readonly prefix: string;
  readonly sealer: PredictionIdSealer;
  /** As PREDICTION_ID_KEYS. */
  readonly keys: string;
  /** Addresses of the brokers with nothing between. */
  readonly brokers: readonly string[];
  /** On the direct way. */
  readonly bus: KafkaBus;
  readonly folder: string;
  readonly controlPartitions: number;
  readonly dataPartitions: number;
  of(app: App): readonly ServiceSlot[];
  /** The processes of a service that are there now. */
  running(app: App): readonly Incarnation[];
  slot(name: string): ServiceSlot;
  /** Starts every slot that is no spare. */
  startAll(): Promise<void>;
  /** Ends everything. `keepLogsIn`: a folder for the logs of the services. */
  close(keepLogsIn?: string | null): Promise<void>;
}

/**
 * For so long a router that is asked to end takes what comes: longer than a load balancer on a busy machine needs to
 * notice that it is not ready any more.
 */
export const DRAIN_DELAY_MS = 3_000;
/** The router takes no smaller bound. */
const SPOOL_BYTES_LEAST = 1024 * 1024;

/** Starts the servers and makes the topics; the services are started by startAll(). */
export async function startFaultWorld(options: FaultWorldOptions): Promise<FaultWorld> {
  const { brokers: brokerCount, say, dataPartitions = 6, controlPartitions = 4 } = options;
  await using started = new AsyncDisposableStack();
  const guard = new Guard();
  started.defer(() => guard.end());
  const folder = mkdtempSync(join(tmpdir(), 'model-canary-faults-'));
  guard.watch('folder', folder);
  const names = slotNames(options);
  const links = new Map<string, Link[]>(names.map(({ name }) => [name, []]));
  const closeLinks = (): Promise<unknown> => Promise.all([...links.values()].flat().map((link) => link.close()));
  started.defer(async () => void (await closeLinks()));
  const cluster = await startKafkaCluster({
    say,
    guard,
    folder: join(folder, 'kafka'),
    optimised: options.optimised ?? false,
    nodes: brokerCount,
    links: () =>
      Promise.all(
        (options.direct ? [] : names).map(async ({ name }) => {
          const port = await freePort();
          const link = await Link.to(port);
          links.get(name)!.push(link);
          return {
            name: name.replace('-', '').toUpperCase(),
            protocol: 'PLAINTEXT' as const,
            port,
            advertisedPort: link.port,
          };
        }),
      ),
  });
  started.defer(async () => void (await Promise.all(cluster.servers.map((server) => server.stop()))));
  const redis = await RedisWithSnapshots.start({ say, guard, folder: join(folder, 'redis') });
  started.defer(() => redis.server.stop());
  const prefix = `faults-${randomBytes(4).toString('hex')}.`;
  const topics = topicNames(prefix);
  const brokers = cluster.brokers.split(',');
  const bus = new KafkaBus({ brokers, clientId: 'faults', logger: silentLogger });
  started.defer(() => bus.close());
  const replicationFactor = brokerCount >= 3 ? 3 : 1;
  await createTopicsFor(bus, topics, { dataPartitions, controlPartitions, replicationFactor });
  const key: SealingKey = { number: 0, secret: randomBytes(32) };
  const keys = `0:${key.secret.toString('base64')}`;
  const slots: ServiceSlot[] = [];
  for (const { name, app } of names) {
    const kafkaLinks = [...links.get(name)!];
    const redisLink = app === 'router' || options.direct ? null : await Link.to(redis.port);
    if (redisLink) links.get(name)!.push(redisLink);
    const home = join(folder, 'services');
    mkdirSync(home, { recursive: true });
    const isSmall = options.smallDisk?.slot === name;
    const env = {
      KAFKA_BROKERS: cluster.brokers,
      REDIS_URL: redis.url,
      ROUTER_DRAIN_DELAY_MS: String(DRAIN_DELAY_MS),
      ...(isSmall ? { ROUTER_SPOOL_BYTES_MAX: String(SPOOL_BYTES_LEAST) } : {}),
      // Modules are compiled once and not in every process of every run.
      NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled'),
      TOPIC_PREFIX: prefix,
      REDIS_PREFIX: prefix,
      PREDICTION_ID_KEYS: keys,
      LOG_LEVEL: 'info',
      ...options.env?.[app],
    };
    const diskBytes = isSmall ? options.smallDisk.bytes : undefined;
    const nodeFlags = [...SERVICE_FLAGS[app], ...(options.nodeFlags ?? [])];
    slots.push(new ServiceSlot({ name, app, folder: home, env, nodeFlags, kafkaLinks, redisLink, diskBytes, guard }));
  }
  started.defer(async () => void (await Promise.all(slots.map((slot) => slot.kill()))));
  const everything = started.move();
  const isSpare = new Set(names.filter(({ spare }) => spare).map(({ name }) => name));
  let closing: Promise<void> | null = null;
  return {
    kafka: cluster.servers,
    redis,
    slots,
    topics,
    prefix,
    sealer: new PredictionIdSealer([key]),
    keys,
    brokers,
    bus,
    folder,
    controlPartitions,
    dataPartitions,
    of: (app) => slots.filter((slot) => slot.app === app),
    running: (app) => slots.flatMap((slot) => (slot.app === app && slot.current ? [slot.current] : [])),
    slot: (name) => slots.find((slot) => slot.name === name)!,
    async startAll() {
      await Promise.all(slots.filter(({ name }) => !isSpare.has(name)).map((slot) => slot.start()));
    },
    close(keepLogsIn = null) {
      if (keepLogsIn !== null && closing === null) cpSync(join(folder, 'services'), keepLogsIn, { recursive: true });
      return (closing ??= everything.disposeAsync());
    },
  };
}

function slotNames({ counts, spares }: FaultWorldOptions): readonly { name: string; app: App; spare: boolean }[] {
  return APPS.flatMap((app) =>
    Array.from({ length: counts[app] + (spares?.[app] ?? 0) }, (_, i) => ({
      name: `${app}-${i + 1}`,
      app,
      spare: i >= counts[app],
    })),
  );
}
