import { silentLogger } from '@app/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../test/controller-fixture.js';
import { T0, verdict } from '../../test/builders.js';
import { MemoryPointStore } from './memory-point-store.js';
import type { PointStore } from './point-store.js';
import { VerdictHistory } from './verdict-history.js';

const state = { model: 'digits', generation: 3, updatedAt: T0, rollout: { rollout: 'digits-1', step: 0 } } as Parameters<typeof verdict>[0]; // prettier-ignore

/** A store that may be away. */
class FlakyStore implements PointStore {
  away = false;
  readonly inner = new MemoryPointStore();
  put(rollout: string, points: ReadonlyMap<string, string>): Promise<void> {
    return this.away ? Promise.reject(new Error('away')) : this.inner.put(rollout, points);
  }
  read(rollout: string): Promise<ReadonlyMap<string, string>> {
    return this.away ? Promise.reject(new Error('away')) : this.inner.read(rollout);
  }
}

let store: FlakyStore;
let history: VerdictHistory;
const open = (): VerdictHistory => new VerdictHistory({ store, logger: silentLogger, writeEveryMs: 5 });
const seconds = async (): Promise<number[]> => (await history.read('digits-1')).map(({ at }) => (at - T0) / 1000);
const add = (...atSeconds: number[]): void => {
  for (const second of atSeconds) history.add(verdict(state, 'continue', { asOf: T0 + second * 1000 }), T0);
};

beforeEach(() => {
  store = new FlakyStore();
  history = open();
});
afterEach(() => history.close());

describe('the history of a rollout’s verdicts', () => {
  test('has the last verdict of each slot, in order of time, at once', async () => {
    add(2, 0, 1.2, 1.7);
    expect(await seconds()).toEqual([0, 1.7, 2]);
    expect(await history.read('digits-2')).toEqual([]);
  });

  test('survives a restart', async () => {
    add(0, 1, 2);
    await history.close();
    history = open();
    expect(await seconds()).toEqual([0, 1, 2]);
    add(2.5, 3);
    expect(await seconds()).toEqual([0, 1, 2.5, 3]);
  });

  test('that is read again from the topic is the same', async () => {
    add(0, 0.5, 1, 2, 2.9);
    await history.close();
    const before = await seconds();
    history = open();
    add(2, 2.9);
    expect(await seconds()).toEqual(before);
  });

  test('waits while the store is away, and says so to who reads', async () => {
    store.away = true;
    add(0, 1);
    await expect(history.read('digits-1')).rejects.toThrow('away');
    store.away = false;
    await until(async () => (await store.inner.read('digits-1')).size === 2);
    expect(await seconds()).toEqual([0, 1]);
  });

  test('leaves out verdicts that rest on no record', async () => {
    history.add(verdict(state, 'continue', { asOf: 0 }), T0);
    expect(await seconds()).toEqual([]);
  });
});
