import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { RedisSlotStore } from './redis-slot-store.js';

/** A cluster of which the shards with these slots are away. */
function cluster(away: readonly string[]): Redis {
  const pipeline = () => {
    let slot = '';
    const commands = {
      callBuffer: (_command: string, _script: string, _keys: number, key: string) => {
        slot = /\{(.*)\}/.exec(key)![1]!;
        return commands;
      },
      exec: () =>
        away.includes(slot)
          ? Promise.reject(new Error('CLUSTERDOWN'))
          : Promise.resolve([[null, [Buffer.from('7'), Buffer.from('1000'), null, []]]]),
    };
    return commands;
  };
  return { isCluster: true, pipeline } as unknown as Redis;
}

const reads = [0, 1, 2].map((partition) => ({ slot: { kind: 'outcome', partition } as const, from: 0 }));
const read = (away: readonly string[]) =>
  new RedisSlotStore({ redis: cluster(away), prefix: 'mc', owners: 1 }).readAllForOwner(0, reads);

describe('slots on several shards', () => {
  it('that are on one that is away are missing, the others are there', async () => {
    const views = await read(['outcome-1']);
    expect(views.map((view) => view?.position ?? null)).toEqual([7, null, 7]);
  });

  it('cannot be read when all are away', async () => {
    await expect(read(['outcome-0', 'outcome-1', 'outcome-2'])).rejects.toThrow('CLUSTERDOWN');
  });
});
