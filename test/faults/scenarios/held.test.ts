import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../apps/standalone/src/demo/seeded-random.js';
import { COUNT, heldOver, MEMORY } from './held.js';

/** What is held after so many connections, MiB or pieces. */
interface Sample {
  readonly connections: number;
  readonly held: number;
}

const random = seededRandom(1);
/** 60 samples along 100,000 connections. */
const samplesOf = (held: (connections: number) => number): Sample[] =>
  Array.from({ length: 60 }, (_, i) => ({ connections: i * 1_700, held: held(i * 1_700) }));
const noise = (most: number): number => most * (2 * random() - 1);
const measured = { of: ({ held }: Sample) => held, along: ({ connections }: Sample) => connections };

describe('what a process holds', () => {
  it.each([
    ['memory that stays, with noise', MEMORY, () => 150 + noise(15), false],
    ['memory that grows only while all begins', MEMORY, (n: number) => 100 + Math.min(n / 1_000, 30) + noise(2), false],
    ['2 KiB a connection', MEMORY, (n: number) => 150 + (n * 2) / 1024, true],
    ['connections that come and go', COUNT, () => 30 + Math.abs(noise(60)), false],
    ['a descriptor that stays of every thousandth', COUNT, (n: number) => 30 + n / 1_000, true],
  ])('(%s) grows: only what leaks', (what, rule, held, grows) => {
    expect(heldOver(what, samplesOf(held), { ...measured, rule }).grows).toBe(grows);
  });

  it('rises by its slope for each connection', () => {
    const held = heldOver(
      '',
      samplesOf((n) => 150 + n / 1_000),
      { ...measured, rule: MEMORY },
    );
    expect(held.slope).toBeCloseTo(0.001);
    expect(held.last - held.middle).toBeCloseTo(34);
  });
});
