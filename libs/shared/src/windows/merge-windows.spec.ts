import { expect, it } from 'vitest';
import { WindowMerger } from './merge-windows.js';
import { SKETCH_BIN_MAX } from './sketch.js';
import { addFigures, emptyFigures, packWindow, unpackWindow, type WindowFigures } from './window.js';

/** A small linear congruential generator: the same windows each time. */
function generator(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function randomWindow(random: (limit: number) => number): Map<string, WindowFigures> {
  const window = new Map<string, WindowFigures>();
  for (let versions = random(4); versions > 0; versions--) {
    const counts = (): Map<number, number> =>
      new Map(Array.from({ length: random(40) }, () => [random(SKETCH_BIN_MAX + 1), 1 + random(2 ** 31)]));
    const [latency, labelDelay] = [counts(), counts()];
    const [routed, errors, labelled, right] = [random(2 ** 31), random(9), random(9), random(9)];
    window.set(`v${random(6)}`, { routed, errors, labelled, right, latency, labelDelay });
  }
  return window;
}

it('adds packed windows up as their figures would be, into the same bytes', () => {
  const random = generator(1);
  const merger = new WindowMerger();
  for (let i = 0; i < 500; i++) {
    const windows = Array.from({ length: 1 + random(5) }, () => randomWindow(random));
    const sums = new Map<string, WindowFigures>();
    for (const window of windows)
      for (const [version, figures] of window) {
        const sum = sums.get(version) ?? emptyFigures();
        sums.set(version, sum);
        addFigures(sum, figures);
      }
    const merged = merger.merge(windows.map(packWindow));
    if (!merged.equals(packWindow(sums))) expect(unpackWindow(merged)).toEqual(sums);
    expect(merged.equals(packWindow(sums))).toBe(true);
  }
});

it('is as before after a window that cannot be read', () => {
  const merger = new WindowMerger();
  const window = packWindow(new Map([['v1', { ...emptyFigures(), routed: 3, latency: new Map([[7, 3]]) }]]));
  expect(() => merger.merge([window, window.subarray(0, window.length - 1)])).toThrow('ends too early');
  expect(unpackWindow(merger.merge([window, window])).get('v1')).toMatchObject({
    routed: 6,
    latency: new Map([[7, 6]]),
  });
});
