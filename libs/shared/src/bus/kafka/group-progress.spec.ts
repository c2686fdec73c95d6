import { describe, expect, it } from 'vitest';
import { GroupProgress } from './group-progress.js';

describe('the progress of a member', () => {
  it('is none when joining takes too long, unless a handler keeps it from joining', () => {
    const progress = new GroupProgress(0);
    expect(progress.problem(15_000, false)).toBeNull();
    expect(progress.problem(15_001, false)).toBe('joining the group takes too long');
    expect(progress.problem(60_000, true)).toBeNull();
  });

  it('is none when no heartbeat was answered for a session, also while it handles a batch', () => {
    const progress = new GroupProgress(0);
    progress.joined(1_000);
    progress.beat(2_000);
    for (const handles of [false, true]) {
      expect(progress.problem(8_000, handles)).toBeNull();
      expect(progress.problem(8_001, handles)).toBe('no heartbeat was answered');
    }
  });

  it('begins anew with each join', () => {
    const progress = new GroupProgress(0);
    progress.joined(1_000);
    progress.joining(6_000);
    expect(progress.isJoining).toBe(true);
    expect(progress.problem(20_000, false)).toBeNull();
    progress.joined(20_000);
    expect([progress.isJoining, progress.problem(26_000, false)]).toEqual([false, null]);
  });

  it('knows until when handlers kept it from fetching', () => {
    const progress = new GroupProgress(0);
    progress.joined(1_000);
    progress.problem(2_000, true);
    progress.problem(3_000, false);
    expect(progress.lastBusyMs).toBe(2_000);
  });
});
