import type { AnswerHead } from '../domain/answer-head.js';
import type { ServedVersion } from '../routing/served-model.js';
import type { ForwardedRequest } from '../routing/upstream.js';
import type { Deadlines, Expiring } from './deadlines.js';
import type { AnswerControl, AnswerHandler, UpstreamFault } from './upstream-connection.js';

/** Why an attempt came to nothing. */
export type AttemptFault = UpstreamFault | 'timeout';

/** Who makes an attempt; told at most once how it ended, and nothing after that. Bytes are those of the read. */
export interface AttemptOwner {
  onHead(attempt: Attempt, head: AnswerHead): void;
  onData(attempt: Attempt, bytes: Buffer): void;
  /** `last`: the end of the body, if onData() was not told it. */
  onEnd(attempt: Attempt, last: Buffer | null): void;
  onFailure(attempt: Attempt, fault: AttemptFault): void;
  /** The client has not read for a long time. */
  onStalledClient(): void;
}

/**
 * One request to one version. It holds a place in the version's concurrency until its connection is free again, even
 * when nobody waits for the answer any more: a server that hangs is not given more and more.
 */
export class Attempt implements AnswerHandler, Expiring {
  slot = -1;
  private control: AnswerControl | null = null;
  /** The owner is not interested any more. */
  private over = false;
  private released = false;
  private pausedAtMs: number | null = null;
  private pausedMs = 0;

  constructor(
    private readonly owner: AttemptOwner,
    readonly version: ServedVersion,
    readonly startedAtMs: number,
    private readonly limits: {
      readonly deadlines: Deadlines;
      /** A client that reads nothing for this long is gone. */
      readonly clientStallMsMax: number;
    },
  ) {
    version.upstream.inFlight++;
    limits.deadlines.add(this);
  }

  /** Sends the request; once. */
  send(request: ForwardedRequest): void {
    this.version.upstream.send(request, this);
  }

  /** Time it has taken, less the time the client took to read. */
  elapsedMs(nowMs: number): number {
    const pausedMs = this.pausedAtMs === null ? this.pausedMs : this.pausedMs + nowMs - this.pausedAtMs;
    return nowMs - this.startedAtMs - pausedMs;
  }

  /** Cuts the connection; nothing more is told. */
  abort(): void {
    const { control } = this;
    this.release();
    control?.abort();
  }

  /** The answer is of no use: it may come to its end, within the deadline, so that the connection stays. */
  discard(): void {
    this.over = true;
  }

  /** The client reads more slowly than the version answers. */
  pause(nowMs: number): void {
    this.pausedAtMs ??= nowMs;
    this.control?.pause();
  }

  resume(nowMs: number): void {
    if (this.pausedAtMs !== null) this.pausedMs += nowMs - this.pausedAtMs;
    this.pausedAtMs = null;
    this.control?.resume();
  }

  checkDeadline(nowMs: number): void {
    if (this.pausedAtMs !== null && nowMs - this.pausedAtMs >= this.limits.clientStallMsMax)
      return this.owner.onStalledClient();
    if (this.elapsedMs(nowMs) < this.version.planned.deadlineMs) return;
    const wasOver = this.over;
    this.abort();
    if (!wasOver) this.owner.onFailure(this, 'timeout');
  }

  onSend(control: AnswerControl): void {
    this.control = control;
  }

  onHead(head: AnswerHead): void {
    if (!this.over) this.owner.onHead(this, head);
  }

  onBody(bytes: Buffer): void {
    if (!this.over) this.owner.onData(this, bytes);
  }

  onEnd(last: Buffer | null): void {
    const wasOver = this.over;
    this.release();
    if (!wasOver) this.owner.onEnd(this, last);
  }

  onFailure(fault: UpstreamFault): void {
    const wasOver = this.over;
    this.release();
    if (!wasOver) this.owner.onFailure(this, fault);
  }

  /** From here on the connection is somebody else's, or nobody's. */
  private release(): void {
    this.over = true;
    this.control = null;
    if (this.released) return;
    this.released = true;
    this.version.upstream.inFlight--;
    this.limits.deadlines.delete(this);
  }
}
