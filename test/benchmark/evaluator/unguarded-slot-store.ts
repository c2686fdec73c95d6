import { windowChunk, windowChunkTtlMs, windowField, windowKeys } from '@app/shared';
import type { Redis } from 'ioredis';
import { packSummaries } from '../../../apps/evaluator/src/domain/slot/summary-codec.js';
import { RedisSlotStore } from '../../../apps/evaluator/src/slot-store/redis-slot-store.js';
import { META_FIELD, SLOT_TTL_MS, slotKeys } from '../../../apps/evaluator/src/slot-store/slot-keys.js';
import { type SlotChange, type SlotId, slotName } from '../../../apps/evaluator/src/slot-store/slot-store.js';

/** Partitions of evaluator-checkpoint in the benchmark. */
export const OWNERS = 8;

/** Writes a change as plain commands in one pipeline: no guard, no script, no atomic step. Reads as the real one. */
export class UnguardedSlotStore extends RedisSlotStore {
  constructor(
    private readonly client: Redis,
    private readonly prefix: string,
  ) {
    super({ redis: client, prefix, owners: OWNERS });
  }

  override async apply(slot: SlotId, change: SlotChange): Promise<'applied'> {
    const keys = slotKeys(this.prefix, slot);
    const { chunk } = windowKeys(this.prefix);
    const { position, logTimeMs } = change;
    const pipeline = this.client.pipeline();
    const fields: (string | number | Buffer)[] = [META_FIELD.position, position, META_FIELD.logTime, logTimeMs];
    for (const [field, value] of change.set) fields.push(field, value);
    pipeline.hset(keys.slot, ...fields).pexpire(keys.slot, SLOT_TTL_MS);
    if (change.deleted.length > 0) pipeline.hdel(keys.slot, ...change.deleted);
    for (const [owner, summaries] of change.summaries) {
      const { offset, index } = summaries.at(-1)!;
      pipeline.xadd(keys.summaries(owner), `${offset}-${index + 1}`, 's', packSummaries(summaries));
    }
    if (change.waiting?.drop) pipeline.del(keys.waiting);
    if (change.waiting?.add) pipeline.rpush(keys.waiting, change.waiting.add);
    for (const { id, value } of change.windows ?? []) {
      const key = chunk(slotName(slot), id.resolution, windowChunk(id.resolution, id.startMs));
      pipeline.hset(key, windowField(id), value).pexpire(key, windowChunkTtlMs(id, logTimeMs));
    }
    for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    await this.client.sadd(windowKeys(this.prefix).sources, slotName(slot));
    return 'applied';
  }
}
