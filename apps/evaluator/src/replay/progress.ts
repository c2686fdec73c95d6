import type { Clock, ReplayLine, ReplayProgress } from '@app/shared';

const EVERY_MS = 2_000;

/** Tells how far a long read has come, at most every two seconds. */
export class Progress {
  private toldMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly emit: (line: ReplayLine) => void,
  ) {
    this.toldMs = clock.monotonicMs();
  }

  /** Begins another stretch; what it returns is told how much more is done. */
  of(doing: ReplayProgress['doing'], total: number): (more: number) => void {
    let done = 0;
    return (more) => {
      done += more;
      const nowMs = this.clock.monotonicMs();
      if (nowMs - this.toldMs < EVERY_MS) return;
      this.toldMs = nowMs;
      this.emit({ kind: 'progress', doing, done: Math.min(done, total), total });
    };
  }
}
