import { CanaryError } from '@app/shared';
import type { Guard } from './guard.js';
import { KAFKA_VERSION } from './kafka-artifacts.js';
import { KAFKA_HELLO } from './kafka-server.js';
import type { LocalServer, Say } from './local-server.js';
import { freePort, waitForAnswer } from './ports.js';
import { REDIS_HELLO } from './redis-server.js';
import { runTool } from './run-tool.js';

const ENGINE_TIMEOUT_MS = 5000;
const PULL_TIMEOUT_MS = 600_000;
const COMMAND_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 90_000;

/** Whether a Docker engine answers (the program alone is not enough). */
export async function dockerAnswers(): Promise<boolean> {
  const { code } = await runTool('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeoutMs: ENGINE_TIMEOUT_MS,
  });
  return code === 0;
}

interface ContainerOptions {
  readonly image: string;
  readonly port: number;
  readonly containerPort: number;
  readonly hello: Buffer;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly say: Say;
  readonly guard: Guard;
}

/** A server in a container whose port is published on the loopback. Its data are the container's. */
class Container implements LocalServer {
  readonly pid = undefined;

  private constructor(
    private readonly name: string,
    private readonly options: ContainerOptions,
  ) {}

  static async run(options: ContainerOptions): Promise<Container> {
    const { image, port, containerPort, env, command, say, guard } = options;
    if ((await docker(['image', 'inspect', image])).code !== 0) {
      say(`Fetching the image ${image} ...`);
      await dockerOrThrow(['pull', '-q', image], PULL_TIMEOUT_MS);
    }
    say(`Starting ${image} ...`);
    const name = `model-canary-${process.pid}-${port}`;
    guard.watch('container', name);
    const variables = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
    const publish = ['-p', `127.0.0.1:${port}:${containerPort}`];
    await dockerOrThrow(['run', '-d', '--name', name, ...publish, ...variables, image, ...command]);
    const container = new Container(name, options);
    await container.answered();
    return container;
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    // Docker's own names: a stopped container takes no further commands unless Docker knows that it is paused.
    if (signal === 'SIGSTOP') await dockerOrThrow(['pause', this.name]);
    else if (signal === 'SIGCONT') await docker(['unpause', this.name]);
    else await dockerOrThrow(['kill', '--signal', signal, this.name]);
    if (signal === 'SIGKILL') await docker(['wait', this.name]);
  }

  async start(): Promise<void> {
    await dockerOrThrow(['start', this.name]);
    await this.answered();
  }

  async stop(): Promise<void> {
    await docker(['rm', '-f', '-v', this.name]);
    this.options.guard.forget('container', this.name);
  }

  private async answered(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    if (await waitForAnswer(this.options.port, this.options.hello, () => Date.now() > deadline)) return;
    const { output } = await docker(['logs', '--tail', '5', this.name]);
    await this.stop();
    throw new CanaryError('server-not-started', `${this.options.image} did not start: ${output.trim()}`);
  }
}

const docker = (args: readonly string[], timeoutMs = COMMAND_TIMEOUT_MS): ReturnType<typeof runTool> =>
  runTool('docker', args, { timeoutMs });

async function dockerOrThrow(args: readonly string[], timeoutMs?: number): Promise<void> {
  const { code, output } = await docker(args, timeoutMs);
  if (code !== 0) throw new CanaryError('docker-failed', `docker ${args[0]} failed: ${output.trim()}`);
}

export async function startKafkaContainer(parts: {
  readonly say: Say;
  readonly guard: Guard;
}): Promise<{ brokers: string; server: LocalServer }> {
  const port = await freePort();
  const env = {
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'PLAINTEXT',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '8',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: '8',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
  };
  const image = `apache/kafka:${KAFKA_VERSION}`;
  const server = await Container.run({
    image,
    port,
    containerPort: 9092,
    hello: KAFKA_HELLO,
    env,
    command: [],
    ...parts,
  });
  return { brokers: `127.0.0.1:${port}`, server };
}

export async function startRedisContainer(parts: {
  readonly say: Say;
  readonly guard: Guard;
}): Promise<{ url: string; server: LocalServer }> {
  const port = await freePort();
  const command = ['redis-server', '--save', '', '--appendonly', 'no'];
  const server = await Container.run({
    image: 'redis:7',
    port,
    containerPort: 6379,
    hello: REDIS_HELLO,
    env: {},
    command,
    ...parts,
  });
  return { url: `redis://127.0.0.1:${port}`, server };
}
