import { describe, expect, it } from 'vitest';
import { PackReader, PackWriter } from './packing.js';

describe('packed names', () => {
  it('come back, and take a byte from the second time on', () => {
    const writer = new PackWriter();
    const names = ['router-1', '', 'größe', 'router-1', 'größe', '', 'x'.repeat(300)];
    for (const name of names) writer.name(name).uint(7);
    const packed = writer.take();
    const reader = new PackReader(packed);
    for (const name of names) expect([reader.name(), reader.uint()]).toEqual([name, 7]);
    expect(reader.done()).toBe(true);
    const once = writer.name('router-1').take().length;
    expect(writer.name('router-1').name('router-1').take().length).toBe(once + 1);
  });

  it('are those of one take() alone', () => {
    const writer = new PackWriter();
    writer.name('a').take();
    expect(new PackReader(writer.name('b').name('a').take()).name()).toBe('b');
  });

  it('that were never written are refused', () => {
    const reader = new PackReader(new PackWriter().uint(1).take());
    expect(() => reader.name()).toThrow('ends too early');
  });
});
