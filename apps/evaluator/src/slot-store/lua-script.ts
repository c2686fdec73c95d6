import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** A Lua file beside the code, run by its hash; Redis is given the source once, and again after a restart or FLUSHALL. */
export class LuaScript {
  private readonly source: string;
  private readonly sha: string;

  /** `file`: name in the folder lua/, e.g. apply-slot-n.lua. */
  constructor(file: string) {
    this.source = readFileSync(new URL(`../lua/${file}`, import.meta.url), 'utf8');
    this.sha = createHash('sha1').update(this.source).digest('hex');
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
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return await redis.eval(this.source, keys.length, ...keys, ...args);
    }
  }
}
