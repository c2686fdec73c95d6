import { PackReader, PackWriter } from '@app/shared';
import { expect, it } from 'vitest';
import { CellCounter } from './cell-counter.js';
import { seededRandom } from '../../testing/builders.js';

it('counts as a map does, whatever the order and however often it is read', () => {
  const random = seededRandom(1);
  const counter = new CellCounter();
  const truth = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = Math.floor(random() * (i % 2 ? 300 : 2 ** 19));
    counter.add(key);
    truth.set(key, (truth.get(key) ?? 0) + 1);
    if (i % 1_999 === 0) counter.cells();
  }
  const { keys, counts } = counter.cells();
  expect([...keys].map((key, i) => [key, counts[i]])).toEqual([...truth].sort(([a], [b]) => a - b));
  expect(counter.total).toBe(20_000);
});

it('is empty before the first count', () => {
  const { keys, counts } = new CellCounter().cells();
  expect([keys.length, counts.length]).toEqual([0, 0]);
});

it('goes on from its packed form as if nothing had happened, and packs the same wherever it was packed before', () => {
  const random = seededRandom(2);
  const pack = (of: CellCounter): Buffer => {
    const writer = new PackWriter();
    of.pack(writer);
    return writer.take();
  };
  const whole = new CellCounter();
  let parts = new CellCounter();
  for (let i = 0; i < 3_000; i++) {
    const key = Math.floor(random() ** 3 * 2 ** 19);
    whole.add(key);
    parts.add(key);
    if (i % 700 === 0) [whole, parts].forEach((counter) => counter.cells());
    if (random() < 0.1) parts = CellCounter.unpack(new PackReader(pack(parts)));
    if (i % 100 === 0) expect(pack(parts).equals(pack(whole))).toBe(true);
  }
  expect(parts.cells()).toEqual(whole.cells());
  expect(parts.total).toBe(3_000);
});
