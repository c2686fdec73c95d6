import type { Clock } from '@app/shared/core';
import { SlotList, type Slotted } from './slot-list.js';

/** Something that must not go on for ever. */
export interface Expiring extends Slotted {
  /** Looks whether its time is over, and ends it then. */
  checkDeadline(nowMs: number): void;
}

/** Watches everything of a kind with one timer, which runs only while there is anything: one each would cost too much. */
export class Deadlines<T extends Expiring = Expiring> {
  private readonly watched = new SlotList<T>();
  private timer: NodeJS.Timeout | null = null;

  /** Deadlines are met with a precision of `sweepMs`. */
  constructor(
    private readonly clock: Clock,
    private readonly sweepMs: number,
  ) {}

  get size(): number {
    return this.watched.size;
  }

  add(expiring: T): void {
    this.watched.add(expiring);
    this.timer ??= setInterval(() => this.sweep(), this.sweepMs);
  }

  delete(expiring: T): void {
    this.watched.delete(expiring);
  }

  /** The callback may end the one it is called with. */
  forEach(call: (expiring: T) => void): void {
    this.watched.forEach(call);
  }

  close(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private sweep(): void {
    if (this.watched.size === 0) return this.close();
    const nowMs = this.clock.monotonicMs();
    this.watched.forEach((expiring) => expiring.checkDeadline(nowMs));
  }
}
