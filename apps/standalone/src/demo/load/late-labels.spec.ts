import { describe, expect, it } from 'vitest';
import { seededRandom } from '../seeded-random.js';
import { LateLabels } from './late-labels.js';

describe('late labels', () => {
  const labels = new LateLabels(seededRandom(1));
  for (let i = 0; i < 1000; i++) labels.add(`id-${i}`, String(i % 10), i);
  const known: string[] = [];
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) known.push(...labels.takeDue(nowMs).map((l) => l.predictionId));

  it('come once each, most of them, and some never', () => {
    expect(new Set(known).size).toBe(known.length);
    expect(known.length).toBeGreaterThan(880);
    expect(known.length).toBeLessThan(960);
  });

  it('come out of order', () => {
    const numbers = known.map((id) => Number(id.slice(3)));
    expect(numbers.some((number, i) => i > 0 && number < numbers[i - 1]!)).toBe(true);
  });

  it('are not there before their time', () => {
    const fresh = new LateLabels(seededRandom(2));
    for (let i = 0; i < 100; i++) fresh.add(`id-${i}`, '1', 5_000);
    expect(fresh.takeDue(5_100)).toEqual([]);
  });
});
