import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CanaryError } from '@app/shared';
import type { Guard } from './guard.js';
import { findJava, kafkaJars } from './kafka-artifacts.js';
import type { LocalServer, Say } from './local-server.js';
import { freePort } from './ports.js';
import { runTool } from './run-tool.js';
import { ServerProcess } from './server-process.js';

/** A further way in, beside the plain one. */
export interface KafkaListener {
  /** Capital letters. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  /** What clients are told to connect to, if it is not the listener itself: a proxy before it. */
  readonly advertisedPort?: number;
  /** Of this listener alone. */
  readonly settings?: Readonly<Record<string, string>>;
}

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

/** An ApiVersions request: length, key 18, version 0, correlation id 1, no client id. */
export const KAFKA_HELLO = Buffer.from('0000000a0012000000000001ffff', 'hex');
const START_TIMEOUT_MS = 90_000;
const FORMAT_TIMEOUT_MS = 60_000;

/** Starts a Kafka of one node (KRaft) from its Maven artifacts. */
export async function startKafkaServer(options: KafkaServerOptions): Promise<StartedKafka> {
  const { say, guard, folder, listeners = [], settings = {}, scram = [] } = options;
  const java = await findJava(say);
  const classPath = join(await kafkaJars(say), '*');
  const [port, controllerPort] = [await freePort(), await freePort()];
  await mkdir(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  const ways: Way[] = [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', port }];
  for (const listener of listeners) ways.push({ ...listener, port: await freePort() });
  await writeFile(properties, serverProperties({ ways, controllerPort, logDir: join(folder, 'data'), settings }));
  const flags = [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-Xshare:auto',
    ...(options.optimised ? [] : ['-XX:TieredStopAtLevel=1']),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ...['-cp', classPath],
  ];
  say('Starting Kafka ...');
  const users = scram.flatMap((user) => ['--add-scram', user]);
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties, '--ignore-formatted'];
  const formatted = await runTool(java, [...flags, ...format, ...users], { timeoutMs: FORMAT_TIMEOUT_MS });
  if (formatted.code !== 0) {
    throw new CanaryError('server-not-started', `Kafka's storage could not be made: ${formatted.output.trim()}`);
  }
  const server = new ServerProcess({
    name: 'Kafka',
    command: java,
    args: [...flags, 'kafka.Kafka', properties],
    port,
    hello: KAFKA_HELLO,
    logFile: join(folder, 'kafka.log'),
    startTimeoutMs: START_TIMEOUT_MS,
    guard,
  });
  await server.start();
  const addresses = ways.slice(1).map((way): [string, string] => [way.name, `127.0.0.1:${way.port}`]);
  return { brokers: `127.0.0.1:${port}`, listeners: Object.fromEntries(addresses), server };
}

/** 16 random bytes as Kafka writes them: URL-safe base64 without padding, not beginning with a hyphen. */
function clusterId(): string {
  return `m${Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString('base64url')
    .slice(1)}`;
}

interface Way extends KafkaListener {
  readonly port: number;
}

function serverProperties(of: {
  readonly ways: readonly Way[];
  readonly controllerPort: number;
  readonly logDir: string;
  readonly settings: Readonly<Record<string, string>>;
}): string {
  const { ways, controllerPort, logDir, settings } = of;
  const each = (line: (way: Way) => string): string => ways.map(line).join(',');
  const own = ways.flatMap(({ name, settings: ofListener = {} }) =>
    Object.entries(ofListener).map(([key, value]) => `listener.name.${name.toLowerCase()}.${key}=${value}`),
  );
  const more = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=${each(({ name, port }) => `${name}://127.0.0.1:${port}`)},CONTROLLER://127.0.0.1:${controllerPort}
listener.security.protocol.map=${each(({ name, protocol }) => `${name}:${protocol}`)},CONTROLLER:PLAINTEXT
advertised.listeners=${each(({ name, port, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort ?? port}`)}
log.dirs=${logDir}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=33554432
${[...own, ...more].join('\n')}
`;
}
