import { describe, expect, it } from 'vitest';
import { PackReader, PackWriter } from '../packing.js';
import { MemoryWindows } from './memory-windows.js';
import { sketchBin } from './sketch.js';
import { windowChunkTtlMs, windowStartsByChunk } from './window-layout.js';
import {
  emptyFigures,
  labelDelayBin,
  labelDelayQuantileMs,
  latencyQuantileMs,
  packWindow,
  unpackWindow,
} from './window.js';

const HOUR_MS = 3_600_000;

function figures(routed: number, bins: Record<number, number> = {}) {
  return { ...emptyFigures(), routed, latency: new Map(Object.entries(bins).map(([bin, n]) => [Number(bin), n])) };
}

describe('packing', () => {
  it('gives back every number and text', () => {
    const numbers = [0, 1, 127, 128, 16_383, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
    const writer = new PackWriter();
    for (const n of numbers) writer.uint(n);
    writer
      .uintOrNone(-1)
      .float(0.1)
      .text('größe')
      .block(Buffer.from([1, 2]));
    const reader = new PackReader(writer.take());
    expect(numbers.map(() => reader.uint())).toEqual(numbers);
    expect([reader.uintOrNone(), reader.float(), reader.text(), [...reader.block()]]).toEqual([
      -1,
      0.1,
      'größe',
      [1, 2],
    ]);
    expect(reader.done()).toBe(true);
  });

  it('refuses bytes that end too early', () => {
    const packed = new PackWriter().text('a long enough text').take();
    expect(() => new PackReader(packed.subarray(0, 5)).text()).toThrow('ends too early');
    expect(() => new PackReader(Buffer.from([255])).uint()).toThrow('ends too early');
  });

  it('grows beyond its first buffer', () => {
    const long = 'x'.repeat(100_000);
    expect(new PackReader(new PackWriter().uint(7).text(long).take().subarray(1)).text()).toBe(long);
  });
});

describe('windows', () => {
  it('come back from their packed form', () => {
    const versions = new Map([
      ['v1', { routed: 5, errors: 1, labelled: 3, right: 2, latency: new Map([[3, 2], [265, 3]]), labelDelay: new Map([[80, 1]]) }], // prettier-ignore
      ['v2', emptyFigures()],
      ['v3', { ...emptyFigures(), labelled: 2, labelDelay: new Map([[4, 1], [1000, 1]]) }], // prettier-ignore
    ]);
    expect(unpackWindow(packWindow(versions))).toEqual(versions);
  });

  it('give quantiles of label delays within 4 %, from milliseconds to weeks', () => {
    for (const delayMs of [5, 800, 90_000, 40 * 3_600_000, 20 * 86_400_000]) {
      const f = { ...emptyFigures(), labelDelay: new Map([[labelDelayBin(delayMs), 3]]) };
      expect(Math.abs(labelDelayQuantileMs(f, 0.5)! / delayMs - 1)).toBeLessThan(0.06);
    }
    expect(labelDelayQuantileMs(emptyFigures(), 0.5)).toBeNull();
  });

  it('give latency quantiles within 1 %', () => {
    const f = emptyFigures();
    for (let ms = 1; ms <= 1000; ms++) f.latency.set(sketchBin(ms), (f.latency.get(sketchBin(ms)) ?? 0) + 1);
    expect(latencyQuantileMs(f, 0.5)! / 500).toBeCloseTo(1, 1);
    expect(Math.abs(latencyQuantileMs(f, 0.99)! - 990)).toBeLessThanOrEqual(10);
    expect(latencyQuantileMs(emptyFigures(), 0.5)).toBeNull();
  });

  it('are added over the partitions, and a partition replaces only its own', async () => {
    const windows = new MemoryWindows();
    const id = { resolution: '10s', startMs: 20_000, model: 'digits' } as const;
    windows.put('outcome-0', id, packWindow(new Map([['v1', figures(5, { 10: 5 })]])));
    windows.put('outcome-1', id, packWindow(new Map([['v1', figures(2, { 10: 1, 11: 1 })], ['v2', figures(1)]]))); // prettier-ignore
    windows.put('outcome-1', { ...id, model: 'other' }, packWindow(new Map([['v1', figures(9)]])));
    windows.put('outcome-0', id, packWindow(new Map([['v1', figures(6, { 10: 6 })]])));
    const read = await windows.read('digits', { resolution: '10s', fromMs: 0, toMs: 30_000 });
    expect(read).toEqual([
      {
        startMs: 20_000,
        durationMs: 10_000,
        versions: new Map([
          ['v1', figures(8, { 10: 7, 11: 1 })],
          ['v2', figures(1)],
        ]),
      },
    ]);
    expect(await windows.read('digits', { resolution: '10s', fromMs: 30_000, toMs: 60_000 })).toEqual([]);
    expect(await windows.read('digits', { resolution: '10s', fromMs: 29_999, toMs: 30_000 })).toHaveLength(1);
  });

  it('of old chunks are forgotten in memory as they expire in Redis', async () => {
    const windows = new MemoryWindows();
    for (let hour = 0; hour < 6; hour++)
      windows.put('outcome-0', { resolution: '10s', startMs: hour * HOUR_MS, model: 'm' }, packWindow(new Map()));
    const read = await windows.read('m', { resolution: '10s', fromMs: 0, toMs: 6 * HOUR_MS });
    expect(read.map((w) => w.startMs / HOUR_MS)).toEqual([3, 4, 5]);
  });

  it('are looked up by chunk, never further back than they are kept', () => {
    const starts = windowStartsByChunk('10s', HOUR_MS - 15_000, HOUR_MS + 5_000);
    expect([...starts]).toEqual([
      [0, [HOUR_MS - 20_000, HOUR_MS - 10_000]],
      [1, [HOUR_MS]],
    ]);
    const all = [...windowStartsByChunk('1m', 0, 100 * 24 * HOUR_MS).values()].flat();
    expect(all.length).toBeLessThanOrEqual(24 * 60 + 1);
  });

  it('expire when the chunk’s last window has been kept long enough', () => {
    const id = { resolution: '10s', startMs: 0, model: 'm' } as const;
    expect(windowChunkTtlMs(id, 0)).toBe(2 * HOUR_MS);
    expect(windowChunkTtlMs(id, 5 * HOUR_MS)).toBe(60_000);
  });
});
