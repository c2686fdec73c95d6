import { SESSION_TIMEOUT_MS } from './group-consumer.js';

const JOIN_MS_MAX = 15_000;

/** Whether a member of a group gets on: what it last heard from the group, and when it last handled a batch. Monotonic ms. */
export class GroupProgress {
  /** Until then handlers kept the reader from fetching. */
  lastBusyMs = 0;
  /** While joining: since when. */
  private joiningSinceMs: number | null;
  private lastBeatMs = 0;

  constructor(nowMs: number) {
    this.joiningSinceMs = nowMs;
  }

  get isJoining(): boolean {
    return this.joiningSinceMs !== null;
  }

  joining(nowMs: number): void {
    this.joiningSinceMs = nowMs;
  }

  joined(nowMs: number): void {
    this.joiningSinceMs = null;
    this.lastBeatMs = nowMs;
  }

  /** A heartbeat was answered. */
  beat(nowMs: number): void {
    this.lastBeatMs = nowMs;
  }

  /** What keeps it from being a member, or null. `handles`: batches are being handled now. */
  problem(nowMs: number, handles: boolean): string | null {
    if (handles) this.lastBusyMs = nowMs;
    if (this.joiningSinceMs !== null) {
      // The join waits for the handlers, too.
      return !handles && nowMs - this.joiningSinceMs > JOIN_MS_MAX ? 'joining the group takes too long' : null;
    }
    // The group has given the partitions to others by now, also while a batch of them is being handled.
    return nowMs - this.lastBeatMs > SESSION_TIMEOUT_MS ? 'no heartbeat was answered' : null;
  }
}
