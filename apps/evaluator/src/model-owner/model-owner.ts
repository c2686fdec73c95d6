import { CanaryError } from '@app/shared';
import { CUT_INTERVAL_MS } from '../domain/engine.js';
import type { OwnerDeps } from './owner-deps.js';
import { OwnerSession } from './owner-session.js';

const BACKOFF_MS = { least: 250, most: 4_000 } as const;
/**
 * An owner in whose place another one is at work, and that is still assigned, waits so long for the news that it is not:
 * longer than a group's session, so two processes never fence each other in turn.
 */
const REPLACED_WAIT_MS = 10_000;
/** Summaries that are missing for so long do not come back: our transactions are open, and hide a newer checkpoint, for 10 s at most. */
const TRIMMED_FOR_GOOD_MS = 30_000;
const UNREADABLE_LOG_MS = 30_000;

export type OwnerState = 'taking-over' | 'cutting' | 'waiting' | 'closed';

/** Owns the models of one partition as long as it is assigned: term after term, each begun after the end of the last. */
export class ModelOwner {
  private readonly ending = new AbortController();
  private wake = new AbortController();
  private readonly done: Promise<void>;
  private trimmedSinceMs: number | null = null;
  private unreadableToldMs = Number.NEGATIVE_INFINITY;
  private phase: OwnerState = 'taking-over';
  private newestCut = 0;
  /** Waits for the next cut, and expects nothing of it. */
  private isIdle = false;

  constructor(
    private readonly deps: OwnerDeps,
    readonly partition: number,
  ) {
    this.done = this.run();
  }

  state(): OwnerState {
    return this.phase;
  }

  /** Number of the newest cut published or taken over; 0 before that. */
  cutNumber(): number {
    return this.newestCut;
  }

  /** A new assignment has this partition still: an owner that was replaced may begin again. */
  assignedAgain(): void {
    this.wake.abort(new CanaryError('assigned-again', 'the partition is still assigned'));
  }

  /** A model of its partition has a rollout: if it had none so far, the next cut is made now, not a second later. */
  rolloutGoesOn(): void {
    if (this.isIdle) this.wake.abort(new CanaryError('rollout-goes-on', 'there is something to judge'));
  }

  /** Lets the cut in flight end, then lets go. */
  async close(): Promise<void> {
    this.ending.abort(new CanaryError('closing', 'the owner is closing'));
    await this.done;
  }

  private async run(): Promise<void> {
    let backoffMs: number = BACKOFF_MS.least;
    while (!this.ending.signal.aborted) {
      try {
        await this.term(() => (backoffMs = BACKOFF_MS.least));
      } catch (error) {
        if (this.ending.signal.aborted) break;
        const code = error instanceof CanaryError ? error.code : 'unexpected';
        const { metrics, logger, clock } = this.deps;
        metrics.ownershipLost(this.partition, code);
        logger.warn({ err: error, owner: this.partition, code }, 'owns nothing, begins again');
        const replaced = code === 'fenced' || (code === 'trimmed-beyond-cut' && this.phase === 'cutting');
        if (code === 'trimmed-beyond-cut' && !replaced) this.trimmedSinceMs ??= clock.monotonicMs();
        this.phase = 'waiting';
        await this.pause(replaced ? REPLACED_WAIT_MS : backoffMs);
        backoffMs = Math.min(BACKOFF_MS.most, backoffMs * 2);
      }
    }
    this.phase = 'closed';
    this.deps.metrics.released(this.partition);
  }

  private async term(onCut: () => void): Promise<void> {
    const { clock } = this.deps;
    const { signal } = this.ending;
    this.phase = 'taking-over';
    const since = this.trimmedSinceMs;
    const trimmedForGood = since !== null && clock.monotonicMs() - since >= TRIMMED_FOR_GOOD_MS;
    const session = await OwnerSession.begin(this.deps, this.partition, { trimmedForGood, signal });
    try {
      this.phase = 'cutting';
      this.newestCut = session.stands().number;
      while (!signal.aborted) {
        const startedMs = clock.monotonicMs();
        const result = await session.cut();
        if (result.kind === 'unreadable') this.tellUnreadable(result.error);
        else {
          onCut();
          this.trimmedSinceMs = null;
        }
        this.newestCut = session.stands().number;
        const everyMs = session.intervalMs();
        this.isIdle = everyMs === CUT_INTERVAL_MS.idle;
        await this.pause(Math.max(1, everyMs - (clock.monotonicMs() - startedMs)));
        this.isIdle = false;
      }
    } finally {
      await session.close();
    }
  }

  private async pause(ms: number): Promise<void> {
    this.wake = new AbortController();
    const signal = AbortSignal.any([this.ending.signal, this.wake.signal]);
    await this.deps.sleep(ms, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  private tellUnreadable(error: unknown): void {
    const nowMs = this.deps.clock.monotonicMs();
    if (nowMs - this.unreadableToldMs < UNREADABLE_LOG_MS) return;
    this.unreadableToldMs = nowMs;
    this.deps.logger.warn({ err: error, owner: this.partition }, 'the slot store cannot be read: no cut');
  }
}
