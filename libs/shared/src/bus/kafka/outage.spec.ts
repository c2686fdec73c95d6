import { describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../logger.js';
import { Outage } from './outage.js';

function outage() {
  const said: string[] = [];
  const say = vi.fn((...args: unknown[]) => void said.push(String(args.at(-1))));
  const logger = { warn: say, info: say } as unknown as Logger;
  return { said, outage: new Outage<string>(logger, { gone: 'gone', back: 'back' }) };
}

describe('Outage', () => {
  it('is told once, however many find out, and its end when all have it back', () => {
    const { said, outage: kafka } = outage();
    kafka.gone('a', new Error('cut'));
    kafka.gone('a', new Error('cut'));
    kafka.gone('b', new Error('cut'));
    kafka.back('a');
    expect(said).toEqual(['gone']);
    kafka.back('b');
    kafka.back('b');
    expect(said).toEqual(['gone', 'back']);
    kafka.gone('b', new Error('cut'));
    expect(said).toEqual(['gone', 'back', 'gone']);
  });

  it('does not say that what nobody waits for any more is back', () => {
    const { said, outage: kafka } = outage();
    kafka.gone('a', new Error('cut'));
    kafka.forget('a');
    kafka.back('c');
    expect(said).toEqual(['gone']);
  });
});
