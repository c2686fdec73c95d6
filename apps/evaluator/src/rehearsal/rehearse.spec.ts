import { ManualClock, type RehearsalProgress } from '@app/shared';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../testing/rehearsal-requests.js';
import { rehearse, type RehearsalMeans, type Stage } from './rehearse.js';
import type { RunRecord } from './rehearse-once.js';

const promoted: RunRecord = {
  end: 'promoted',
  atMs: 60_000,
  code: 'bake-complete',
  rolledBackBy: null,
  canaryPredictions: 500,
  steps: [],
};

/** Stages that take a second for each rollout; `play` may do otherwise. */
function means(
  changes: Partial<RehearsalMeans> = {},
  play: (seed: number) => Promise<RunRecord> = async () => promoted,
) {
  const clock = new ManualClock(0);
  const seeds: number[] = [];
  const progress: RehearsalProgress[] = [];
  let open = 0;
  const newStage = (): Stage => {
    open++;
    return {
      rehearse: async (seed) => {
        seeds.push(seed);
        clock.advance(1_000);
        return play(seed);
      },
      close: () => void open--,
    };
  };
  const onProgress = (told: RehearsalProgress): void => void progress.push(told);
  const { signal } = new AbortController();
  return { clock, newStage, signal, onProgress, ...changes, seeds, progress, open: () => open };
}

describe('a rehearsal', () => {
  it('plays so many rollouts, each with a seed of its own, and closes its stages', async () => {
    const with10 = means();
    const report = await rehearse(requestOf({ runs: 10, jobs: 3, seed: 2 }), with10);
    expect(report).toMatchObject({ runs: 10, abandoned: 0, seed: 2, ends: { promoted: { count: 10 } } });
    expect(with10.seeds.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 2_000_000 + i));
    expect(with10.progress.at(-1)).toMatchObject({ runs: 10, ends: { promoted: 10 } });
    expect(with10.open()).toBe(0);
  });

  it('begins no other rollout once the time is over, and waits for those begun', async () => {
    const report = await rehearse(requestOf({ runs: null, forMs: 5_500, jobs: 1 }), means());
    expect(report).toMatchObject({ runs: 6, abandoned: 0, elapsedMs: 6_000 });
  });

  it('when stopped reports what it knows, and how many it left', async () => {
    const stop = new AbortController();
    const never = new Promise<RunRecord>(() => undefined);
    const stuck = means({ signal: stop.signal }, (seed) => {
      if (seed < 1_000_004) return Promise.resolve(promoted);
      stop.abort();
      return never;
    });
    const report = await rehearse(requestOf({ runs: null, jobs: 1 }), stuck);
    expect(report).toMatchObject({ runs: 4, abandoned: 1 });
    expect(stuck.open()).toBe(0);
  });

  it('breaks down with a stage, and closes the others', async () => {
    const broken = means({}, () => Promise.reject(new Error('out of memory')));
    await expect(rehearse(requestOf(), broken)).rejects.toThrow('out of memory');
    expect(broken.open()).toBe(0);
  });
});
