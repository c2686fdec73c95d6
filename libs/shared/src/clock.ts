/** Wall-clock time as a port, so that tests and the simulation decide what time it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch. May jump in either direction. */
  nowMs(): number;
  /** Milliseconds of a clock that never goes backwards; only differences mean anything. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A clock that stands still until it is told to move. */
export class ManualClock implements Clock {
  constructor(private timeMs = 0) {}
  nowMs(): number {
    return this.timeMs;
  }
  monotonicMs(): number {
    return this.timeMs;
  }
  advance(byMs: number): void {
    this.timeMs += byMs;
  }
}
