import { describe, expect, it } from 'vitest';
import { SlotList } from './slot-list.js';

const items = (n: number) => Array.from({ length: n }, (_, name) => ({ name, slot: -1 }));
const names = (list: SlotList<{ name: number; slot: number }>): number[] => {
  const seen: number[] = [];
  list.forEach(({ name }) => seen.push(name));
  return seen.sort((a, b) => a - b);
};

describe('a slot list', () => {
  it('holds what was added and not deleted, in whatever order that happens', () => {
    const list = new SlotList<{ name: number; slot: number }>();
    const all = items(100);
    const expected = new Set<number>();
    for (let i = 0; i < 5000; i++) {
      const item = all[(i * 7919) % 100]!;
      if (item.slot < 0 && i % 3 !== 0) {
        list.add(item);
        expected.add(item.name);
      } else {
        list.delete(item);
        expected.delete(item.name);
      }
      expect(list.size).toBe(expected.size);
    }
    expect(names(list)).toEqual([...expected].sort((a, b) => a - b));
  });

  it('calls each once when the one that is called leaves', () => {
    const list = new SlotList<{ name: number; slot: number }>();
    for (const item of items(10)) list.add(item);
    const seen: number[] = [];
    list.forEach((item) => {
      seen.push(item.name);
      list.delete(item);
    });
    expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(list.size).toBe(0);
  });

  it('does nothing for what is not in it', () => {
    const list = new SlotList<{ name: number; slot: number }>();
    const [a, b] = items(2);
    list.add(a!);
    list.delete(b!);
    list.delete(a!);
    list.delete(a!);
    expect(list.size).toBe(0);
  });
});
