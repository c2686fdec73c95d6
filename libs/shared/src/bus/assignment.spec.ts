import { describe, expect, it } from 'vitest';
import { assignPartitions } from './assignment.js';

const partitionsOf = (topic: string): number => ({ a: 4, b: 4, one: 1, two: 1 })[topic] ?? 0;
const member = (memberId: string, ...topics: string[]) => ({ memberId, topics });
const assigned = (...args: Parameters<typeof assignPartitions>): Record<string, string[]> =>
  Object.fromEntries(
    [...assignPartitions(...args)].map(([id, tps]) => [id, tps.map((tp) => `${tp.topic}${tp.partition}`)]),
  );

describe('assignPartitions', () => {
  it('deals all partitions of all topics out in turn when balanced', () => {
    const members = [member('y', 'one', 'two'), member('x', 'one', 'two')];
    expect(assigned('balanced', members, partitionsOf)).toEqual({ x: ['one0'], y: ['two0'] });
  });

  it('keeps partition i of all topics with one member when co-partitioned', () => {
    const members = [member('x', 'a', 'b'), member('y', 'a', 'b'), member('z', 'a', 'b')];
    expect(assigned('co-partitioned', members, partitionsOf)).toEqual({
      x: ['a0', 'a3', 'b0', 'b3'],
      y: ['a1', 'b1'],
      z: ['a2', 'b2'],
    });
  });

  it('gives no member a topic it did not subscribe to', () => {
    const members = [member('old', 'one'), member('new', 'one', 'a')];
    expect(assigned('balanced', members, partitionsOf)).toEqual({ new: ['a0', 'a1', 'a2', 'a3', 'one0'], old: [] });
  });

  it('leaves members idle when there are more of them than partitions', () => {
    const members = [member('x', 'one'), member('y', 'one')];
    expect(assigned('co-partitioned', members, partitionsOf)).toEqual({ x: ['one0'], y: [] });
  });
});
