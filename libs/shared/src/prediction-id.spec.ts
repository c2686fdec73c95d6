import { describe, expect, it } from 'vitest';
import { type Attribution, PREDICTION_ID_LENGTH, PredictionIdSealer, classHash, modelHash } from './prediction-id.js';

const key = (number: number, fill: number) => ({ number, secret: Buffer.alloc(32, fill) });
const attribution: Attribution = {
  modelHash: modelHash('digits'),
  generation: 7,
  versionIndex: 1,
  arm: 'canary',
  routedAt: 1_795_000_000_123,
  sinceBucketMs: 87,
  unit: 63,
  segment: 5,
  routerHash: 0xabcdef,
  counter: 65_535,
  valueKind: 'class',
  value: classHash('3'),
  counted: true,
};

describe('prediction id', () => {
  const sealer = new PredictionIdSealer([key(1, 1)]);

  it('gives back what was sealed, for every kind of value', () => {
    const cases: Attribution[] = [
      attribution,
      { ...attribution, valueKind: 'number', value: -1234567.891, arm: 'stable', counted: false },
      { ...attribution, valueKind: 'none', value: 0, segment: 0, unit: 0, sinceBucketMs: 65_535 },
    ];
    for (const value of cases) expect(sealer.open(sealer.seal(value))).toEqual({ ok: true, value });
  });

  it('says which model it is of without being opened', () => {
    expect(sealer.modelHashIn(sealer.seal(attribution))).toBe(attribution.modelHash);
    for (const none of ['', 'x'.repeat(61), new PredictionIdSealer([key(2, 1)]).seal(attribution)])
      expect(sealer.modelHashIn(none)).toBeNull();
  });

  it('is 60 URL-safe characters', () => {
    const id = sealer.seal(attribution);
    expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(id).toHaveLength(PREDICTION_ID_LENGTH);
  });

  it('refuses an id with any single character changed', () => {
    const id = sealer.seal(attribution);
    for (let i = 0; i < id.length; i++) {
      const changed = id.slice(0, i) + (id[i] === 'A' ? 'B' : 'A') + id.slice(i + 1);
      expect(sealer.open(changed).ok).toBe(false);
    }
  });

  it.each(['', 'abc', 'x'.repeat(61), '!'.repeat(60)])('refuses the malformed id %j', (id) => {
    const opened = sealer.open(id);
    expect(opened.ok ? '' : opened.problems[0]!.code).toBe('malformed-prediction-id');
  });

  it('shows nothing of its content: ids of neighbours differ in about half their bits', () => {
    const a = Buffer.from(sealer.seal(attribution), 'base64url').subarray(13);
    const b = Buffer.from(sealer.seal({ ...attribution, counter: 1 }), 'base64url').subarray(13);
    let bits = 0;
    for (let i = 0; i < a.length; i++) for (let x = a[i]! ^ b[i]!; x > 0; x >>= 1) bits += x & 1;
    expect(bits).toBeGreaterThan(80);
    expect(bits).toBeLessThan(176);
  });

  it('opens ids of an old key while the new one seals, and not those of an unknown key', () => {
    const rotated = new PredictionIdSealer([key(2, 2), key(1, 1)]);
    expect(rotated.open(sealer.seal(attribution)).ok).toBe(true);
    const opened = sealer.open(rotated.seal(attribution));
    expect(opened.ok ? '' : opened.problems[0]!.code).toBe('unknown-prediction-id-key');
  });

  it('does not open ids sealed with another secret under the same number', () => {
    const opened = new PredictionIdSealer([key(1, 9)]).open(sealer.seal(attribution));
    expect(opened.ok ? '' : opened.problems[0]!.code).toBe('forged-prediction-id');
  });

  it('refuses keys that are short or share a number', () => {
    expect(() => new PredictionIdSealer([{ number: 0, secret: Buffer.alloc(16) }])).toThrow(/32 bytes/);
    expect(() => new PredictionIdSealer([key(1, 1), key(1, 2)])).toThrow(/differ/);
    expect(() => new PredictionIdSealer([])).toThrow(/at least one/);
  });
});
