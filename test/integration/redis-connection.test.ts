import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createRedis, silentLogger } from '@app/shared';
import { type LocalStack, startLocalStack } from '../../deploy/local/local-stack.js';
import { Link, OPEN } from '../faults/world/link.js';

const HEAL = { timeout: 20_000, interval: 20 };
let stack: LocalStack;
let redis: Redis;
const logger = Object.assign(Object.create(silentLogger) as typeof silentLogger, { warn: vi.fn(), info: vi.fn() });

beforeAll(async () => {
  stack = await startLocalStack({ kafka: false });
  redis = createRedis(stack.redisUrl, { logger, commandTimeoutMs: 500 });
});
afterAll(async () => {
  await stack.redis?.signal('SIGCONT');
  redis.disconnect();
  await stack.stop();
});

const answers = async (): Promise<void> => expect(await redis.ping()).toBe('PONG');

it.runIf(!process.env.REDIS_URL)(
  'rejects at once while Redis is away, warns once, and is there again when Redis is',
  async () => {
    await vi.waitFor(answers, HEAL);
    await stack.redis!.signal('SIGKILL');
    await vi.waitFor(() => expect(redis.status).not.toBe('ready'), HEAL);
    const startedAt = performance.now();
    const rejected = await Promise.allSettled(Array.from({ length: 100 }, () => redis.set('k', 'v')));
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(rejected.every((r) => r.status === 'rejected')).toBe(true);
    await vi.waitFor(() => expect(logger.warn).toHaveBeenCalledOnce(), HEAL);
    await stack.redis!.start();
    await vi.waitFor(answers, HEAL);
    expect(await redis.get('k')).toBeNull();
    expect(logger.warn).toHaveBeenCalledOnce();
    expect(logger.info).toHaveBeenCalledWith('Redis is back');
  },
);

it.runIf(!process.env.REDIS_URL)(
  'gives a command up when Redis does not answer, and is there again when Redis is',
  async () => {
    await vi.waitFor(answers, HEAL);
    await stack.redis!.signal('SIGSTOP');
    await expect(redis.ping()).rejects.toThrow(/timed out/i);
    await stack.redis!.signal('SIGCONT');
    await vi.waitFor(answers, HEAL);
  },
);

it('does not keep a connection whose far end is gone and never said so', async () => {
  const link = await Link.to(Number(new URL(stack.redisUrl).port));
  const linked = createRedis(`redis://127.0.0.1:${link.port}`, { logger: silentLogger, commandTimeoutMs: 500 });
  try {
    await vi.waitFor(async () => expect(await linked.ping()).toBe('PONG'), HEAL);
    link.set({ kind: 'half-open' });
    await expect(linked.ping()).rejects.toThrow();
    link.set(OPEN);
    await vi.waitFor(async () => expect(await linked.ping()).toBe('PONG'), HEAL);
  } finally {
    linked.disconnect();
    await link.close();
  }
});
