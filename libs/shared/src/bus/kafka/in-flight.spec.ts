import { expect, it } from 'vitest';
import { InFlight } from './in-flight.js';

const request = (correlationId: number, name = '') => ({ correlationId, name });

it('is as much of a Map as is used of it', () => {
  const [ours, map] = [new InFlight<ReturnType<typeof request>>(), new Map<number, ReturnType<typeof request>>()];
  const same = (): void => {
    expect(ours.size).toBe(map.size);
    expect([...ours.values()]).toEqual([...map.values()]);
  };
  for (let i = 0; i < 1000; i++) {
    const id = (i * 7919) % 13;
    const one = request(id, `${i}`);
    if (i % 3 > 0) {
      ours.set(id, one);
      map.set(id, one);
    } else {
      expect(ours.delete(id)).toBe(map.delete(id));
    }
    expect(ours.has(id)).toBe(map.has(id));
    expect(ours.get(id)).toBe(map.get(id));
    same();
  }
  const seen: number[] = [];
  const before = ours.size;
  ours.forEach(({ correlationId }) => {
    seen.push(correlationId);
    ours.delete(correlationId);
  });
  expect(seen).toHaveLength(before);
  map.clear();
  same();
  ours.set(1, request(1));
  ours.clear();
  same();
});
