import { describe, expect, it } from 'vitest';
import { murmur2, partitionOf } from './murmur2.js';

describe('murmur2', () => {
  // Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('equals the hash of Java for %s', (key, expected) => {
    expect(murmur2(Buffer.from(key))).toBe(expected);
  });

  it('never gives a negative partition', () => {
    for (let i = 0; i < 1000; i++) expect(partitionOf(`key-${i}`, 12)).toBeGreaterThanOrEqual(0);
  });
});
