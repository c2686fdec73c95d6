import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../testing/builders.js';
import { FreshStarts } from './fresh-starts.js';

interface Start {
  readonly m: number;
  sum: number;
}

/** Fresh starts by their definition, each with a sum of its own. */
class PlainStarts {
  private readonly levels = Array.from({ length: 7 }, (): Start[] => []);

  add(tMs: number, value: number): void {
    this.levels.forEach((starts, v) => {
      const period = Math.floor(tMs / (1000 * 4 ** v));
      if (period > (starts[0]?.m ?? -1)) starts.unshift({ m: period, sum: 0 });
      while (starts.length > 1 && starts.at(-1)!.m < starts[0]!.m - 1) starts.pop();
      for (const start of starts) if (start.m <= period) start.sum += value;
    });
  }

  e(): number {
    const all = this.levels.flat();
    return all.reduce((e, { m, sum }) => e + Math.exp(sum) / (7 * (m + 1) * (m + 2)), 0);
  }
}

describe('fresh starts of the same time', () => {
  it('are put together once, and come to what each of them would by itself', () => {
    const random = seededRandom(9);
    for (let run = 0; run < 40; run++) {
      const starts = new FreshStarts(1);
      const plain = new PlainStarts();
      let asked = 0;
      let tMs = random() * 3_000;
      for (let i = 0; i < 200; i++) {
        tMs += random() * 10 ** (run % 5);
        const late = random() < 0.2 ? random() * 5_000 : 0;
        const at = Math.max(0, tMs - late);
        const value = random() - 0.5;
        starts.add(at, Float64Array.of(value));
        plain.add(at, value);
        const lnE = (sums: Float64Array, from: number): number => {
          asked++;
          return sums[from]!;
        };
        expect(Math.exp(starts.lnFresh(lnE))).toBeCloseTo(plain.e(), 9);
      }
      expect(asked).toBeLessThan(200 * 13);
    }
  });
});
