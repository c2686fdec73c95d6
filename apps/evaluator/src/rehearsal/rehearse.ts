import {
  type Clock,
  type RehearsalEnd,
  type RehearsalProgress,
  type RehearsalReport,
  type RehearsalRequest,
} from '@app/shared';
import { reportOf } from './rehearsal-report.js';
import type { RunRecord } from './rehearse-once.js';

/** Something that rehearses one rollout after the other; a worker thread. */
export interface Stage {
  /** Rejects when the stage breaks. */
  rehearse(seed: number): Promise<RunRecord>;
  /** Drops what it is at. */
  close(): void;
}

/** What a rehearsal is run with. */
export interface RehearsalMeans {
  readonly clock: Clock;
  newStage(): Stage;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RehearsalProgress) => void;
}

/** Seeds of different `seed`s do not meet before so many runs. */
const RUNS_PER_SEED = 1_000_000;

/**
 * Rehearses rollouts side by side until there are enough or the time is over. Those begun by then are waited for:
 * leaving out the long ones would make rollouts look shorter than they are. Only an abort leaves them out, and says so.
 */
export async function rehearse(request: RehearsalRequest, means: RehearsalMeans): Promise<RehearsalReport> {
  const { clock, signal } = means;
  const startedMs = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - startedMs;
  const records: { readonly run: number; readonly record: RunRecord }[] = [];
  const ends: Record<RehearsalEnd, number> = { promoted: 0, 'rolled-back': 0, paused: 0, undecided: 0 };
  let begun = 0;
  const goesOn = (): boolean =>
    !signal.aborted && begun < (request.runs ?? Infinity) && elapsedMs() < (request.forMs ?? Infinity);
  const stages = Array.from({ length: Math.min(request.jobs, request.runs ?? Infinity) }, () => means.newStage());
  const aborted = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
  const play = async (stage: Stage): Promise<void> => {
    while (goesOn()) {
      const run = begun++;
      const record = await Promise.race([stage.rehearse(request.seed * RUNS_PER_SEED + run), aborted]);
      if (!record) return;
      records.push({ run, record });
      ends[record.end]++;
      means.onProgress({ runs: records.length, elapsedMs: elapsedMs(), ends: { ...ends } });
    }
  };
  try {
    await Promise.all(stages.map(play));
  } finally {
    for (const stage of stages) stage.close();
  }
  const inOrder = records.sort((a, b) => a.run - b.run).map(({ record }) => record);
  return reportOf(request, inOrder, { elapsedMs: elapsedMs(), abandoned: begun - records.length });
}
