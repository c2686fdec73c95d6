/** An urgent record is what its readers wait for; nobody waits for an unhurried one, however many there are. */
export type Urgency = 'urgent' | 'ordinary' | 'unhurried';

export interface FlushLimits {
  /** Flushes are no closer together than this. */
  readonly everyMsMin: number;
  /** A record waits no longer than this. */
  readonly everyMsMax: number;
  /** As many records are worth a flush of their own. */
  readonly records: number;
}

/**
 * When what was collected is sent: as soon as there is enough of it, or something urgent, but not more often than every
 * `everyMsMin`; otherwise after `everyMsMax`. So the interval follows the rate. A flush costs much more than a record.
 */
export class FlushSchedule {
  private waiting = 0;
  private due = Infinity;
  private flushedAtMs = -Infinity;

  constructor(private readonly limits: FlushLimits) {}

  /** Monotonic time of the next flush; Infinity while nothing waits. */
  get dueAtMs(): number {
    return this.due;
  }

  /** A record waits. Returns whether the next flush is earlier now. */
  add(nowMs: number, urgency: Urgency): boolean {
    const { everyMsMin, everyMsMax, records } = this.limits;
    this.waiting++;
    const soon = urgency === 'urgent' || (urgency === 'ordinary' && this.waiting >= records);
    const wanted = soon ? Math.max(nowMs, this.flushedAtMs + everyMsMin) : nowMs + everyMsMax;
    if (wanted >= this.due) return false;
    this.due = wanted;
    return true;
  }

  /** Nothing waits any more. */
  flushed(nowMs: number): void {
    this.waiting = 0;
    this.due = Infinity;
    this.flushedAtMs = nowMs;
  }
}
