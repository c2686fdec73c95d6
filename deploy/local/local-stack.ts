import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dockerAnswers, startKafkaContainer, startRedisContainer } from './docker.js';
import { Guard } from './guard.js';
import { startKafkaServer } from './kafka-server.js';
import type { LocalServer, Say } from './local-server.js';
import { startRedisServer } from './redis-server.js';

export interface LocalStackOptions {
  /** Told what takes long, a line at a time. Default: nothing. */
  readonly log?: Say;
  /** Default true. */
  readonly kafka?: boolean;
  /** Default true. */
  readonly redis?: boolean;
  /** For benchmarks: Kafka's JVM with all its optimisations, which makes its start slower. */
  readonly optimised?: boolean;
}

export interface LocalStack {
  /** host:port of Kafka; '' if it was not wanted. */
  readonly kafkaBrokers: string;
  /** '' if it was not wanted. */
  readonly redisUrl: string;
  /** The servers, for fault tests; null if not wanted, or if KAFKA_BROKERS or REDIS_URL named one that is not ours. */
  readonly kafka: LocalServer | null;
  readonly redis: LocalServer | null;
  /** Ends the servers and removes their data. Idempotent. They also end when this process does, however it does. */
  stop(): Promise<void>;
}

/**
 * A real Kafka and a real Redis for the demo and the tests: those named in KAFKA_BROKERS and REDIS_URL; else containers
 * if a Docker engine answers; else Kafka's Maven artifacts and Debian's redis-server, fetched and installed if need be.
 * Throws CanaryError that says in one sentence what is missing and the way out.
 */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const say = options.log ?? (() => undefined);
  const wanted = { kafka: options.kafka ?? true, redis: options.redis ?? true };
  const given = {
    kafka: wanted.kafka ? (process.env.KAFKA_BROKERS ?? '') : '',
    redis: wanted.redis ? (process.env.REDIS_URL ?? '') : '',
  };
  const guard = new Guard();
  const servers: LocalServer[] = [];
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopping ??= Promise.all(servers.map((server) => server.stop())).then(() => guard.end());
    return stopping;
  };
  const kept = <T extends { server: LocalServer }>(started: T): T => {
    servers.push(started.server);
    return started;
  };
  const folder = await mkdtemp(join(tmpdir(), 'model-canary-'));
  guard.watch('folder', folder);
  const startKafka = wanted.kafka && given.kafka === '';
  const startRedis = wanted.redis && given.redis === '';
  try {
    const docker = (startKafka || startRedis) && (await dockerAnswers());
    const parts = { say, guard };
    const redis = !startRedis
      ? null
      : docker
        ? kept(await startRedisContainer(parts))
        : kept(await startRedisServer({ ...parts, folder: join(folder, 'redis') }));
    const kafka = !startKafka
      ? null
      : docker
        ? kept(await startKafkaContainer(parts))
        : kept(
            await startKafkaServer({
              ...parts,
              folder: join(folder, 'kafka'),
              optimised: options.optimised ?? false,
            }),
          );
    return {
      kafkaBrokers: kafka?.brokers ?? given.kafka,
      redisUrl: redis?.url ?? given.redis,
      kafka: kafka?.server ?? null,
      redis: redis?.server ?? null,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
