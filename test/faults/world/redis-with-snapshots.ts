import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Guard } from '../../../deploy/local/guard.js';
import type { LocalServer, Say } from '../../../deploy/local/local-server.js';
import { startRedisServer } from '../../../deploy/local/redis-server.js';

const DUMP = 'dump.rdb';

/** A Redis that can be emptied, and put back to what it was some time ago, as after a failover to a replica that lags. */
export class RedisWithSnapshots {
  private taken = 0;
  private newest: string | null = null;

  private constructor(
    private readonly folder: string,
    readonly url: string,
    readonly server: LocalServer,
  ) {}

  static async start(parts: {
    readonly say: Say;
    readonly guard: Guard;
    readonly folder: string;
  }): Promise<RedisWithSnapshots> {
    const { url, server } = await startRedisServer(parts);
    return new RedisWithSnapshots(parts.folder, url, server);
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Keeps what is there now for restoreSnapshot(). */
  async takeSnapshot(): Promise<void> {
    await this.ask((redis) => redis.save());
    const path = join(this.folder, `snapshot-${++this.taken}`);
    // Gone from where a restart would look for it: a Redis that is merely killed comes back empty.
    await rename(join(this.folder, DUMP), path);
    this.newest = path;
  }

  /** Kills it and starts it with the newest snapshot. False: there is none. */
  async restoreSnapshot(): Promise<boolean> {
    if (this.newest === null) return false;
    await this.server.signal('SIGKILL');
    await copyFile(this.newest, join(this.folder, DUMP));
    await this.server.start();
    await rm(join(this.folder, DUMP), { force: true });
    return true;
  }

  async flush(): Promise<void> {
    await this.ask((redis) => redis.flushall());
  }

  async keys(): Promise<number> {
    return this.ask((redis) => redis.dbsize());
  }

  /** Asks over a connection of its own. Rejects when Redis does not answer. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
    redis.on('error', () => undefined); // the question rejects
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }
}
