import { describe, expect, it } from 'vitest';
import { FlushSchedule } from './flush-schedule.js';

const schedule = (): FlushSchedule => new FlushSchedule({ everyMsMin: 10, everyMsMax: 100, records: 50 });

/** Flush times when a record comes every `everyMs`, for a second. */
function flushes(everyMs: number, urgentEveryMs = Infinity): number[] {
  const s = schedule();
  const times: number[] = [];
  let urgentAtMs = urgentEveryMs;
  for (let ms = 0; ms < 1000; ms += everyMs) {
    while (s.dueAtMs <= ms) {
      times.push(s.dueAtMs);
      s.flushed(s.dueAtMs);
    }
    s.add(ms, ms >= urgentAtMs ? 'urgent' : 'ordinary');
    if (ms >= urgentAtMs) urgentAtMs += urgentEveryMs;
  }
  return times;
}

describe('the flush schedule', () => {
  it.each([
    { perSecond: 20_000, flushesPerSecond: 100 },
    { perSecond: 5_000, flushesPerSecond: 100 },
    { perSecond: 2_000, flushesPerSecond: 40 },
    { perSecond: 500, flushesPerSecond: 10 },
    { perSecond: 50, flushesPerSecond: 9 },
  ])('follows the rate: $perSecond records/s, $flushesPerSecond flushes/s', ({ perSecond, flushesPerSecond }) => {
    const { length } = flushes(1000 / perSecond);
    expect(length).toBeGreaterThan(flushesPerSecond * 0.85);
    expect(length).toBeLessThanOrEqual(flushesPerSecond * 1.05 + 1);
  });

  it('sends at once what its readers wait for, unless it has just sent', () => {
    const s = schedule();
    s.add(1000, 'ordinary');
    expect(s.dueAtMs).toBe(1100);
    expect(s.add(1003, 'urgent')).toBe(true);
    expect(s.dueAtMs).toBe(1003);
    s.flushed(1003);
    s.add(1005, 'urgent');
    expect(s.dueAtMs).toBe(1013);
    expect(s.add(1006, 'urgent')).toBe(false);
  });

  it('does not hurry for what nobody waits for, however much it is', () => {
    const s = schedule();
    for (let ms = 0; ms < 90; ms++) s.add(ms, 'unhurried');
    expect(s.dueAtMs).toBe(100);
    expect(s.add(91, 'ordinary')).toBe(true);
    expect(s.dueAtMs).toBe(91);
  });

  it('keeps no record longer than the longest interval', () => {
    for (const perSecond of [1, 7, 100, 3000]) {
      const everyMs = 1000 / perSecond;
      const times = flushes(everyMs);
      for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeLessThanOrEqual(100 + everyMs);
    }
  });

  it('has nothing due when nothing waits', () => {
    const s = schedule();
    s.add(0, 'ordinary');
    s.flushed(100);
    expect(s.dueAtMs).toBe(Infinity);
  });
});
