import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CanaryError } from '@app/shared';
import type { Guard } from './guard.js';
import { findJava, kafkaJars } from './kafka-artifacts.js';
import { classArchiveFlags } from './kafka-class-archive.js';
import { type KafkaLink, type KafkaListener, type KafkaNode, nodeProperties } from './kafka-properties.js';
import type { LocalServer, Say } from './local-server.js';
import { freePort } from './ports.js';
import { runTool } from './run-tool.js';
import { ServerProcess } from './server-process.js';

export interface KafkaServerOptions {
  readonly say: Say;
  readonly guard: Guard;
  /** Fresh, and removed by the caller. */
  readonly folder: string;
  /** The JIT's second tier, which costs the start some time and gives benchmarks their real broker. */
  readonly optimised: boolean;
  readonly listeners?: readonly KafkaListener[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Users with SCRAM passwords, as StorageTool wants them. */
  readonly scram?: readonly string[];
}

export interface StartedKafka {
  /** The plain listener. */
  readonly brokers: string;
  /** host:port of each further listener, by name. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly server: LocalServer;
}

export interface KafkaClusterOptions extends Omit<KafkaServerOptions, 'listeners'> {
  /** One, or three that replicate everything. */
  readonly nodes: number;
  /** Further ways to each node, for tests that put something between. `node` counts from 1. */
  readonly links?: (node: number) => Promise<readonly KafkaLink[]>;
}

/** An ApiVersions request: length, key 18, version 0, correlation id 1, no client id. */
export const KAFKA_HELLO = Buffer.from('0000000a0012000000000001ffff', 'hex');
const START_TIMEOUT_MS = 90_000;
const FORMAT_TIMEOUT_MS = 60_000;

/** Starts a Kafka of one node (KRaft) from its Maven artifacts. */
export async function startKafkaServer({ listeners = [], ...options }: KafkaServerOptions): Promise<StartedKafka> {
  const links: KafkaLink[] = [];
  for (const listener of listeners) links.push({ ...listener, port: await freePort() });
  const { brokers, servers } = await startKafkaCluster({ ...options, nodes: 1, links: async () => links });
  const addresses = links.map((link): [string, string] => [link.name, `127.0.0.1:${link.port}`]);
  return { brokers, listeners: Object.fromEntries(addresses), server: servers[0]! };
}

/** Starts a Kafka of some nodes, each of them broker and controller. `brokers` are their direct addresses. */
export async function startKafkaCluster(
  options: KafkaClusterOptions,
): Promise<{ brokers: string; servers: readonly LocalServer[] }> {
  const { say, guard, folder } = options;
  const java = await findJava(say);
  const classPath = join(await kafkaJars(say), '*');
  const make = (homeOf: (node: KafkaNode) => string, nodes: readonly KafkaNode[], flags: readonly string[]) =>
    makeServers({ options, java, classPath, flags, homeOf, nodes });
  const archived = await classArchiveFlags({
    java,
    say,
    guard,
    makeNode: async (home, flags) =>
      (await make(() => home, await newNodes({ ...options, nodes: 1, links: undefined }), flags))[0]!,
  });
  const nodes = await newNodes(options);
  say(nodes.length === 1 ? 'Starting Kafka ...' : `Starting Kafka of ${nodes.length} nodes ...`);
  const servers = await make(({ id }) => (nodes.length === 1 ? folder : join(folder, `node-${id}`)), nodes, archived);
  // A node opens its port when the others have elected a controller: none of them can come first.
  await Promise.all(servers.map((server) => server.start()));
  return { brokers: nodes.map(({ port }) => `127.0.0.1:${port}`).join(','), servers };
}

interface Making {
  readonly options: KafkaClusterOptions;
  readonly java: string;
  readonly classPath: string;
  /** Further ones of the JVM. */
  readonly flags: readonly string[];
  readonly nodes: readonly KafkaNode[];
  readonly homeOf: (node: KafkaNode) => string;
}

/** Nodes with their storage, not started. */
function makeServers({ options, java, classPath, flags: more, nodes, homeOf }: Making): Promise<ServerProcess[]> {
  const flags = [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-Xshare:auto',
    ...more,
    ...(options.optimised ? [] : ['-XX:TieredStopAtLevel=1']),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ...['-cp', classPath],
  ];
  const cluster = clusterId();
  const users = (options.scram ?? []).flatMap((user) => ['--add-scram', user]);
  // Formatting is no run to take an archive of.
  const formatting = flags.filter((flag) => !flag.startsWith('-XX:ArchiveClassesAtExit'));
  return Promise.all(
    nodes.map(async (node) => {
      const home = homeOf(node);
      await mkdir(home, { recursive: true });
      const properties = join(home, 'server.properties');
      await writeFile(
        properties,
        nodeProperties(node, nodes, { logDir: join(home, 'data'), settings: options.settings }),
      );
      const format = ['kafka.tools.StorageTool', 'format', '-t', cluster, '-c', properties, '--ignore-formatted'];
      const formatted = await runTool(java, [...formatting, ...format, ...users], { timeoutMs: FORMAT_TIMEOUT_MS });
      if (formatted.code !== 0) {
        throw new CanaryError('server-not-started', `Kafka's storage could not be made: ${formatted.output.trim()}`);
      }
      return new ServerProcess({
        name: 'Kafka',
        command: java,
        args: [...flags, 'kafka.Kafka', properties],
        port: node.port,
        hello: KAFKA_HELLO,
        logFile: join(home, 'kafka.log'),
        startTimeoutMs: START_TIMEOUT_MS,
        guard: options.guard,
      });
    }),
  );
}

async function newNodes({ nodes, links }: KafkaClusterOptions): Promise<readonly KafkaNode[]> {
  const made: KafkaNode[] = [];
  for (let id = 1; id <= nodes; id++) {
    const [port, controllerPort] = [await freePort(), await freePort()];
    made.push({ id, port, controllerPort, links: (await links?.(id)) ?? [] });
  }
  return made;
}

/** 16 random bytes as Kafka writes them: URL-safe base64 without padding, not beginning with a hyphen. */
function clusterId(): string {
  return `m${Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString('base64url')
    .slice(1)}`;
}
