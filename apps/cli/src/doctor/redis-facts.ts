import { createRedis, silentLogger } from '@app/shared';
import type { RedisFacts } from './findings.js';

const READY_WITHIN_MS = 5_000;

/** Asks a Redis what doctor wants to know. Rejects with what keeps it from answering. */
export async function askRedis(url: string): Promise<RedisFacts> {
  const redis = createRedis(url, { logger: silentLogger });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no connection in time')), READY_WITHIN_MS);
      redis.once('error', reject);
      redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
    const [info, [seconds, micros]] = await Promise.all([redis.info(), redis.time()]);
    const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
    return {
      version: field('redis_version'),
      timeMs: Number(seconds) * 1000 + Number(micros) / 1000,
      // In INFO, so that a managed Redis that forbids CONFIG tells it too.
      policy: field('maxmemory_policy') || undefined,
      usedBytes: Number(field('used_memory')),
      maxBytes: Number(field('maxmemory')),
    };
  } finally {
    redis.disconnect();
  }
}
