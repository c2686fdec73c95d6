import type { RolloutState } from '@app/shared';
import { describe, expect, test } from 'vitest';
import { EventLog, type LoggedEvent } from './event-log.js';
import { LogPositions } from './log-positions.js';

const happened = (place: string, offset: number): LoggedEvent => ({
  place,
  offset,
  event: { kind: 'state', model: `m${offset}`, data: {} as RolloutState },
});

function logOf(places: readonly (readonly [string, number])[], kept = 100): EventLog {
  const log = new EventLog(kept);
  for (const [place, offset] of places) log.add(happened(place, offset));
  return log;
}

/** Where the events stood, or `missed`. */
function since(log: EventLog, id: string): readonly string[] | 'missed' {
  const found = log.since(LogPositions.parse(id)!);
  return found.kind === 'missed' ? 'missed' : found.events.map(({ place, offset }) => `${place}@${offset}`);
}

describe('an id', () => {
  test('says how far every partition was read, and comes back from its text', () => {
    const positions = LogPositions.none();
    positions.pass('v11', 36);
    positions.pass('d0', 5);
    positions.pass('d0', 3);
    expect(positions.toString()).toBe('d0.5-v11.10');
    expect(LogPositions.parse('d0.5-v11.10')!.toString()).toBe('d0.5-v11.10');
  });

  test.each(['', 'decision:digits/1', 'd0', 'd0.5-', 'd0.-5', 'd0.zzzzzzzzzzzzzzz', 'D0.5'])(
    'that nobody gave, %j, is none',
    (text) => expect(LogPositions.parse(text)).toBeNull(),
  );
});

describe('after an id', () => {
  test('come exactly the events that its holder has not seen, of every partition, in order of arrival', () => {
    const log = logOf([['d0', 0], ['v1', 7], ['d0', 1], ['v1', 9], ['d0', 2]]); // prettier-ignore
    expect(since(log, 'd0.1-v1.8')).toEqual(['d0@1', 'v1@9', 'd0@2']);
    expect(since(log, log.id())).toEqual([]);
  });

  test('a controller that read the partitions in another order tells the same', () => {
    const one = logOf([['d0', 0], ['d0', 1], ['v1', 3]]); // prettier-ignore
    const other = logOf([['v1', 3], ['d0', 0], ['d0', 1]]); // prettier-ignore
    for (const id of ['d0.1-v1.3', 'd0.0-v1.4', 'd0.2-v1.3'])
      expect([...since(other, id)].sort()).toEqual([...since(one, id)].sort());
  });

  test('what is only passed is no event, and nothing is missed by it', () => {
    const log = logOf([['d0', 0]]);
    log.passed('v0', 500);
    expect(since(log, 'd0.0-v0.8')).toEqual(['d0@0']);
  });

  test.each([
    ['lies before the first event that is still kept', 'd0.1'],
    ['lies beyond the end of the log', 'd0.z'],
    ['knows a partition that is not followed', 'd0.9-d1.4'],
  ])('that %s, the holder is told that it missed something', (_, id) => {
    const log = logOf(
      Array.from({ length: 10 }, (_, offset) => ['d0', offset] as const),
      5,
    );
    expect(since(log, 'd0.9')).toEqual(['d0@9']);
    expect(since(log, id)).toBe('missed');
  });

  test('that lies before where reading began, likewise', () => {
    const log = new EventLog();
    log.begin('d0', 40);
    log.begin('v0', 0);
    expect(since(log, 'd0.12-v0.0')).toBe('missed');
    expect(since(log, 'd0.14-v0.0')).toEqual([]);
  });
});

test('no more events are kept than asked for, twice over', () => {
  const log = logOf(
    Array.from({ length: 1000 }, (_, offset) => ['d0', offset] as const),
    10,
  );
  const found = log.since(LogPositions.parse('d0.rj')!);
  expect(found).toEqual({ kind: 'known', events: [happened('d0', 991), ...Array.from({ length: 8 }, (_, i) => happened('d0', 992 + i))] }); // prettier-ignore
});
