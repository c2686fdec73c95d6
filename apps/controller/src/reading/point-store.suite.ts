import { beforeEach, expect, it } from 'vitest';
import type { PointStore } from './point-store.js';

/** What every store of points does. `make` gives an empty one that keeps three rollouts. */
export function pointStoreSuite(make: () => Promise<PointStore>): void {
  let store: PointStore;
  beforeEach(async () => {
    store = await make();
  });

  it('knows nothing of a rollout before its first point', async () => {
    expect(await store.read('digits-1')).toEqual(new Map());
    await store.put('digits-1', new Map());
    expect(await store.read('digits-1')).toEqual(new Map());
  });

  it('gives back what was put, the last point of each slot, and keeps rollouts apart', async () => {
    await store.put('digits-1', new Map([['0/0/continue', 'a'], ['1/0/continue', 'größe']])); // prettier-ignore
    await store.put('digits-1', new Map([['1/0/continue', 'c'], ['1/0/fail', 'd']])); // prettier-ignore
    await store.put('digits-2', new Map([['0/0/continue', 'x']]));
    expect(await store.read('digits-1')).toEqual(
      new Map([['0/0/continue', 'a'], ['1/0/continue', 'c'], ['1/0/fail', 'd']]), // prettier-ignore
    );
    expect(await store.read('digits-2')).toEqual(new Map([['0/0/continue', 'x']]));
  });

  it('forgets the rollouts that were put longest ago', async () => {
    for (const rollout of ['a-1', 'b-1', 'c-1']) await store.put(rollout, new Map([['s', rollout]]));
    await store.put('a-1', new Map([['t', 'again']]));
    await store.put('d-1', new Map([['s', 'd-1']]));
    const sizes = ['a-1', 'b-1', 'c-1', 'd-1'].map(async (rollout) => (await store.read(rollout)).size);
    expect(await Promise.all(sizes)).toEqual([2, 0, 1, 1]);
  });
}
