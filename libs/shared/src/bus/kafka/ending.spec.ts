import v8 from 'node:v8';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Ending } from './ending.js';

const ended = (): Error => new Error('ended');

describe('an ending', () => {
  it('gives what a promise comes to, or its own reason when the end comes first', async () => {
    const ending = new Ending();
    await expect(ending.until(Promise.resolve(1), ended)).resolves.toBe(1);
    await expect(ending.until(Promise.reject(new Error('failed')), ended)).rejects.toThrow('failed');
    const waiting = ending.until(new Promise(() => undefined), ended);
    const pause = ending.wait(1_000_000);
    ending.end();
    await expect(waiting).rejects.toThrow('ended');
    await pause;
    await expect(ending.until(Promise.resolve(1), ended)).rejects.toThrow('ended');
    await ending.wait(1_000_000);
  });

  it('keeps nothing of what was waited for', async () => {
    v8.setFlagsFromString('--expose-gc');
    const collectGarbage = vm.runInNewContext('gc') as () => void;
    const ending = new Ending();
    const heapAfter = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) await ending.until(Promise.resolve(i), ended);
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = await heapAfter(1_000);
    // A race would keep 17 MB.
    expect((await heapAfter(50_000)) - before).toBeLessThan(2_000_000);
    ending.end();
  });
});
