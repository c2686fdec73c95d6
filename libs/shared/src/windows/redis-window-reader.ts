import type { Cluster, Redis } from 'ioredis';
import { REDIS_PREFIX, windowField, windowKeys, windowStartsByChunk } from './window-layout.js';
import { WindowSum } from './window-sum.js';
import type { ModelWindow, WindowRange, WindowReader } from './window.js';

/** Reads the windows that evaluators keep in Redis. One HMGET per source and chunk, all sent at once. */
export class RedisWindowReader implements WindowReader {
  private readonly keys: ReturnType<typeof windowKeys>;

  constructor(
    private readonly redis: Redis | Cluster,
    prefix = REDIS_PREFIX,
  ) {
    this.keys = windowKeys(prefix);
  }

  async read(model: string, { resolution, fromMs, toMs }: WindowRange): Promise<readonly ModelWindow[]> {
    const sources = await this.redis.smembers(this.keys.sources);
    const sum = new WindowSum();
    const reads: Promise<void>[] = [];
    for (const [chunk, starts] of windowStartsByChunk(resolution, fromMs, toMs)) {
      const fields = starts.map((startMs) => windowField({ resolution, startMs, model }));
      for (const source of sources) {
        const read = this.redis.hmgetBuffer(this.keys.chunk(source, resolution, chunk), ...fields).then((values) => {
          for (const [i, value] of values.entries()) if (value) sum.add(starts[i]!, value);
        });
        reads.push(read);
      }
    }
    await Promise.all(reads);
    return sum.windows(resolution);
  }
}
