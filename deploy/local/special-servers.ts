import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guard } from './guard.js';
import { type KafkaServerOptions, type StartedKafka, startKafkaServer } from './kafka-server.js';
import type { LocalServer, Say } from './local-server.js';
import { type RedisServerOptions, startRedisServer } from './redis-server.js';

/**
 * Servers that are set up for one test: always processes of ours, whatever KAFKA_BROKERS, REDIS_URL and Docker say. They
 * end with this process, however it ends.
 */
export class SpecialServers {
  private readonly guard = new Guard();
  private readonly servers: LocalServer[] = [];
  private started = 0;

  private constructor(
    private readonly folder: string,
    private readonly say: Say,
  ) {
    this.guard.watch('folder', folder);
  }

  static async prepare(say: Say = () => undefined): Promise<SpecialServers> {
    return new SpecialServers(await mkdtemp(join(tmpdir(), 'model-canary-')), say);
  }

  async kafka(options: Pick<KafkaServerOptions, 'listeners' | 'settings' | 'scram'>): Promise<StartedKafka> {
    const started = await startKafkaServer({ ...this.place('kafka'), optimised: false, ...options });
    this.servers.push(started.server);
    return started;
  }

  async redis(
    options: Pick<RedisServerOptions, 'secure'>,
  ): Promise<{ readonly url: string; readonly server: LocalServer }> {
    const started = await startRedisServer({ ...this.place('redis'), ...options });
    this.servers.push(started.server);
    return started;
  }

  /** Ends them and removes their data. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.guard.end();
  }

  private place(kind: string): { say: Say; guard: Guard; folder: string } {
    this.started += 1;
    return { say: this.say, guard: this.guard, folder: join(this.folder, `${kind}-${this.started}`) };
  }
}
