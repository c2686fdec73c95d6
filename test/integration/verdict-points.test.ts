import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createRedis, silentLogger, systemClock } from '@app/shared';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointStoreSuite } from '../../apps/controller/src/reading/point-store.suite.js';
import { RedisPointStore } from '../../apps/controller/src/reading/redis-point-store.js';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';

let stack: LocalStack;
let redis: Redis;

beforeAll(async () => {
  stack = await startLocalStack({ kafka: false });
  redis = createRedis(stack.redisUrl, { logger: silentLogger });
  if (redis.status !== 'ready') await once(redis, 'ready');
});

afterAll(async () => {
  redis?.disconnect();
  await stack?.stop();
});

describe('points of verdicts in Redis', () => {
  let nowMs = systemClock.nowMs();
  // Milliseconds apart, as rollouts are: the order in which they are forgotten is that of time.
  const clock = { ...systemClock, nowMs: () => nowMs++, monotonicMs: () => systemClock.monotonicMs() };
  const make = (prefix: string) => new RedisPointStore({ redis, clock, prefix, rolloutsKept: 3 });
  // A prefix of its own for each test: the Redis may be somebody's.
  pointStoreSuite(() => Promise.resolve(make(`test-${randomUUID()}`)));

  it('expire', async () => {
    const prefix = `test-${randomUUID()}`;
    await make(prefix).put('digits-1', new Map([['0/0/continue', 'x']]));
    const keys = (await redis.keys(`${prefix}:*`)).sort();
    expect(keys).toEqual([`${prefix}:verdict-points`, `${prefix}:{verdict-points:digits-1}`]);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
  });
});
