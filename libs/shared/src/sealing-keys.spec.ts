import { describe, expect, it } from 'vitest';
import { PredictionIdSealer } from './prediction-id.js';
import { parseSealingKeys } from './sealing-keys.js';

const base64 = (fill: number): string => Buffer.alloc(32, fill).toString('base64');

describe('sealing keys from the environment', () => {
  it('are pairs of number and base64, the first one sealing', () => {
    const keys = parseSealingKeys(`2:${base64(2)},1:${base64(1)}`);
    expect(keys).toEqual([
      { number: 2, secret: Buffer.alloc(32, 2) },
      { number: 1, secret: Buffer.alloc(32, 1) },
    ]);
    expect(() => new PredictionIdSealer(keys)).not.toThrow();
  });

  it.each(['', 'abc', `1:${base64(1).slice(0, 20)}`, `x:${base64(1)}`, `1:${base64(1)};2:${base64(2)}`])(
    'are refused as %j, without showing them',
    (text) => {
      expect(() => parseSealingKeys(text)).toThrow(/number:base64/);
      expect(() => parseSealingKeys(text)).not.toThrow(base64(1).slice(0, 20));
    },
  );
});
