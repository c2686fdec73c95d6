import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

export interface LuaCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number | Buffer)[];
}

/** A Lua file beside the code, run by its hash; Redis is given the source once, and again after a restart or FLUSHALL. */
export class LuaScript {
  private readonly source: string;
  private readonly sha: string;

  /** `file`: name in the folder lua/, e.g. apply-slot-n.lua. */
  constructor(file: string) {
    this.source = readFileSync(new URL(`../lua/${file}`, import.meta.url), 'utf8');
    this.sha = createHash('sha1').update(this.source).digest('hex');
  }

  /**
   * What it gives for each of many calls, as bytes; an error where one rejects. They go at once: to a single Redis, or all
   * to keys of one cluster slot. Only for scripts that change nothing, for all run twice when one is not known.
   */
  async readAll(redis: Redis | Cluster, calls: readonly LuaCall[]): Promise<unknown[]> {
    const results = await together(redis, ['EVALSHA', this.sha], calls);
    return results.some(isUnknown) ? together(redis, ['EVAL', this.source], calls) : results;
  }

  /** Rejects as any command does; a script is not run twice. */
  async run(
    redis: Redis | Cluster,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await redis.evalsha(this.sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!isUnknown(error)) throw error;
      return await redis.eval(this.source, keys.length, ...keys, ...args);
    }
  }
}

/** Whether Redis does not know the script (any more). */
const isUnknown = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');

async function together(
  redis: Redis | Cluster,
  [command, script]: readonly [string, string],
  calls: readonly LuaCall[],
): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  for (const { keys, args } of calls) pipeline.callBuffer(command, script, keys.length, ...keys, ...args);
  return ((await pipeline.exec()) ?? []).map(([error, value]) => error ?? value);
}
