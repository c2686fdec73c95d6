import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CanaryError } from '@app/shared';
import type { Guard } from './guard.js';
import { findJava, kafkaJars } from './kafka-artifacts.js';
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
}

/** An ApiVersions request: length, key 18, version 0, correlation id 1, no client id. */
export const KAFKA_HELLO = Buffer.from('0000000a0012000000000001ffff', 'hex');
const START_TIMEOUT_MS = 90_000;
const FORMAT_TIMEOUT_MS = 60_000;

/** Starts a Kafka of one node (KRaft) from its Maven artifacts. */
export async function startKafkaServer(options: KafkaServerOptions): Promise<{ brokers: string; server: LocalServer }> {
  const { say, guard, folder } = options;
  const java = await findJava(say);
  const classPath = join(await kafkaJars(say), '*');
  const [port, controllerPort] = [await freePort(), await freePort()];
  await mkdir(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  await writeFile(properties, serverProperties({ port, controllerPort, logDir: join(folder, 'data') }));
  const flags = [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-Xshare:auto',
    ...(options.optimised ? [] : ['-XX:TieredStopAtLevel=1']),
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    ...['-cp', classPath],
  ];
  say('Starting Kafka ...');
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties, '--ignore-formatted'];
  const formatted = await runTool(java, [...flags, ...format], { timeoutMs: FORMAT_TIMEOUT_MS });
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
  return { brokers: `127.0.0.1:${port}`, server };
}

/** 16 random bytes as Kafka writes them: URL-safe base64 without padding, not beginning with a hyphen. */
function clusterId(): string {
  return `m${Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
    .toString('base64url')
    .slice(1)}`;
}

function serverProperties(at: { port: number; controllerPort: number; logDir: string }): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${at.port},CONTROLLER://127.0.0.1:${at.controllerPort}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
advertised.listeners=PLAINTEXT://127.0.0.1:${at.port}
log.dirs=${at.logDir}
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
`;
}
