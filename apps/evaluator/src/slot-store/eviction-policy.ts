import type { Redis } from 'ioredis';

/**
 * Whether Redis may throw slots away to make room. `problem`: a sentence for a person, also when it cannot be found out
 * (managed Redis forbids CONFIG); null: it keeps everything or refuses writes, as it should.
 */
export async function evictionProblem(redis: Redis): Promise<string | null> {
  let policy: string | undefined;
  try {
    const [, value] = await redis.config('GET', 'maxmemory-policy');
    policy = value;
  } catch (error) {
    return `cannot read Redis's maxmemory-policy (${(error as Error).message}); it has to be noeviction`;
  }
  if (policy === 'noeviction') return null;
  return `Redis's maxmemory-policy is ${policy ?? 'unknown'}; set it to noeviction, otherwise slots vanish when memory is short`;
}
