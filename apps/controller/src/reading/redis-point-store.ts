import { type Clock, REDIS_PREFIX } from '@app/shared';
import type { Cluster, Redis } from 'ioredis';
import { type PointStore, ROLLOUTS_KEPT } from './point-store.js';

export interface RedisPointStoreOptions {
  readonly redis: Redis | Cluster;
  readonly clock: Clock;
  readonly prefix?: string;
  readonly rolloutsKept?: number;
}

/** As long as verdicts are kept in Kafka. */
const KEPT_MS = 30 * 86_400_000;

/**
 *   mc:verdict-points              sorted set   rollout -> when it was put last, ms
 *   mc:{verdict-points:digits-3}   hash         slot -> point
 */
export class RedisPointStore implements PointStore {
  private readonly index: string;
  private readonly rolloutsKept: number;

  constructor(private readonly options: RedisPointStoreOptions) {
    this.index = `${options.prefix ?? REDIS_PREFIX}:verdict-points`;
    this.rolloutsKept = options.rolloutsKept ?? ROLLOUTS_KEPT;
  }

  async put(rollout: string, points: ReadonlyMap<string, string>): Promise<void> {
    const { redis, clock } = this.options;
    if (points.size === 0) return;
    const key = this.keyOf(rollout);
    await Promise.all([
      redis.hset(key, ...[...points].flat()),
      redis.pexpire(key, KEPT_MS),
      redis.zadd(this.index, clock.nowMs(), rollout),
      redis.pexpire(this.index, KEPT_MS),
    ]);
    const oldest = await redis.zrange(this.index, '0', String(-1 - this.rolloutsKept));
    if (oldest.length === 0) return;
    await Promise.all(oldest.map((old) => redis.del(this.keyOf(old))));
    await redis.zrem(this.index, ...oldest);
  }

  async read(rollout: string): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.options.redis.hgetall(this.keyOf(rollout))));
  }

  private keyOf(rollout: string): string {
    return `${this.index.replace(/verdict-points$/, '')}{verdict-points:${rollout}}`;
  }
}
