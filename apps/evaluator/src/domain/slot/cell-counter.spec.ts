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

it('packs the same counts into the same bytes, and comes back from them', () => {
  const [a, b] = [new CellCounter(), new CellCounter()];
  for (const key of [5, 524_287, 5, 0, 9]) a.add(key);
  for (const key of [0, 9, 524_287]) b.add(key);
  b.add(5, 2);
  const pack = (counter: CellCounter): Buffer => {
    const writer = new PackWriter();
    counter.pack(writer);
    return writer.take();
  };
  expect(pack(a)).toEqual(pack(b));
  const back = CellCounter.unpack(new PackReader(pack(a)));
  expect(back.cells()).toEqual(a.cells());
  expect(back.total).toBe(5);
});
