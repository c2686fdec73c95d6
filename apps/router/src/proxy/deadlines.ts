import type { Clock } from '@app/shared';
import { SlotList, type Slotted } from './slot-list.js';

/** Something that must not go on for ever. */
export interface Expiring extends Slotted {
  /** Looks whether its time is over, and ends it then. */
  checkDeadline(nowMs: number): void;
}

/** Deadlines are met with this precision; a timer each would cost more than the rest of a request. */
const SWEEP_MS = 20;

/** Watches everything under way with one timer, which runs only while there is anything. */
export class Deadlines {
  private readonly watched = new SlotList<Expiring>();
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly clock: Clock) {}

  add(expiring: Expiring): void {
    this.watched.add(expiring);
    this.timer ??= setInterval(() => this.sweep(), SWEEP_MS);
  }

  delete(expiring: Expiring): void {
    this.watched.delete(expiring);
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
