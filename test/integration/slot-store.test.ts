import { randomUUID } from 'node:crypto';
import { createRedis, RedisWindowReader, silentLogger } from '@app/shared';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evictionProblem } from '../../apps/evaluator/src/slot-store/eviction-policy.js';
import { RedisSlotStore } from '../../apps/evaluator/src/slot-store/redis-slot-store.js';
import { slotStoreSuite } from '../../apps/evaluator/src/slot-store/slot-store.suite.js';
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

describe('slot store in Redis', () => {
  // A prefix of its own for each test: the Redis may be somebody's.
  slotStoreSuite(async () => {
    const prefix = `test-${randomUUID()}`;
    const store = new RedisSlotStore({ redis, prefix, owners: 12 });
    return { store, windows: new RedisWindowReader(redis, prefix) };
  });

  it('lets every key of a slot expire', async () => {
    const prefix = `test-${randomUUID()}`;
    const store = new RedisSlotStore({ redis, prefix, owners: 12 });
    const id = { resolution: '1m', startMs: 60_000, model: 'm' } as const;
    const summary = { kind: 'left-out', model: 'm', generation: 1, router: 'r', bucket: 1, routedFrom: 1, cause: 'lost', routed: {} } as const; // prettier-ignore
    await store.apply(
      { kind: 'outcome', partition: 0 },
      {
        expectedPosition: null,
        position: 1,
        logTimeMs: 1,
        set: new Map([['a', Buffer.from('b')]]),
        deleted: [],
        summaries: new Map([[3, [{ offset: 0, index: 0, summary }]]]),
        windows: [{ id, value: Buffer.from('w') }],
      },
    );
    const keys = (await redis.keys(`${prefix}:*`)).sort();
    expect(keys).toEqual([
      `${prefix}:window-sources`,
      `${prefix}:{outcome-0}:slot`,
      `${prefix}:{outcome-0}:summaries:3`,
      `${prefix}:{outcome-0}:windows:1m:0`,
    ]);
    const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
    // The set of sources is small, has no end and belongs to the evaluators.
    expect(ttls.map((ttl) => ttl > 0)).toEqual([false, true, true, true]);
  });

  it('says when Redis may throw slots away', async () => {
    expect(await evictionProblem(redis)).toBeNull();
    if (!stack.redis) return;
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await evictionProblem(redis)).toContain('set it to noeviction');
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  });
});
