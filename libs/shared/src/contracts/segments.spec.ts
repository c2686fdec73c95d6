import { describe, expect, it } from 'vitest';
import { SEGMENTS, segmentOf } from './segments.js';

describe('segments', () => {
  it('are 63, whatever the names are, and no name is none of them', () => {
    const seen = new Set(Array.from({ length: 5_000 }, (_, i) => segmentOf(`name-${i}`)));
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: SEGMENTS - 1 }, (_, i) => i + 1));
    expect(segmentOf('')).toBe(0);
  });

  it('do not change between releases: labels are counted by what the id says', () => {
    expect(['de', 'fr', 'us', 'São Paulo'].map(segmentOf)).toMatchInlineSnapshot(`
      [
        34,
        61,
        2,
        15,
      ]
    `);
  });
});
