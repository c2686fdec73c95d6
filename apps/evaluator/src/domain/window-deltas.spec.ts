import { emptyFigures, labelDelayBin, unpackWindow, type WindowFigures } from '@app/shared';
import { expect, it } from 'vitest';
import { seededRandom } from '../testing/builders.js';
import { NO_ROW, unpackDeltas, WindowDeltas } from './window-deltas.js';

const NOW_MS = 1_700_000_000_000;

it('holds of each batch what plain figures would, batch after batch', () => {
  const random = seededRandom(1);
  const deltas = new WindowDeltas();
  for (let batch = 0; batch < 60; batch++) {
    const plain = new Map<string, WindowFigures>();
    const named = new Set<string>();
    for (let i = Math.floor(random() * 300); i > 0; i--) {
      const [model, version] = [`m${Math.floor(random() * 20)}`, `v${Math.floor(random() * 4)}`];
      const timeMs = NOW_MS - Math.floor(random() ** 3 * 60_000);
      const row = deltas.at(model, version, timeMs, NOW_MS);
      const key = `${model} ${Math.floor(timeMs / 10_000) * 10_000} ${version}`;
      const figures = plain.get(key) ?? emptyFigures();
      plain.set(key, figures);
      named.add(`${model} ${version}`);
      const isError = random() < 0.2;
      deltas.addRouted(row, isError);
      figures.routed++;
      if (isError) {
        figures.errors++;
        continue;
      }
      const bin = Math.floor(random() ** 2 * 2048);
      deltas.addLatency(row, bin);
      figures.latency.set(bin, (figures.latency.get(bin) ?? 0) + 1);
      if (random() < 0.5) continue;
      const delay = labelDelayBin(random() ** 4 * 86_400_000);
      const isRight = random() < 0.8;
      deltas.addLabel(row, isRight, delay);
      figures.labelled++;
      if (isRight) figures.right++;
      figures.labelDelay.set(delay, (figures.labelDelay.get(delay) ?? 0) + 1);
    }
    const { figures, versions } = deltas.take();
    expect(versions.map(({ model, version }) => `${model} ${version}`)).toEqual([...named]);
    const taken = new Map<string, WindowFigures>();
    for (const { model, startMs, packed } of figures ? unpackDeltas(figures) : [])
      for (const [version, of] of unpackWindow(packed)) taken.set(`${model} ${startMs} ${version}`, of);
    expect(taken).toEqual(plain);
  }
  expect(deltas.take()).toEqual({ figures: null, versions: [] });
});

it('counts nothing that nobody can look at any more, or not yet', () => {
  const deltas = new WindowDeltas();
  expect(deltas.at('m', 'v1', NOW_MS - 25 * 3_600_000, NOW_MS)).toBe(NO_ROW);
  expect(deltas.at('m', 'v1', NOW_MS + 3_600_000, NOW_MS)).toBe(NO_ROW);
  expect(deltas.take()).toEqual({ figures: null, versions: [] });
});
