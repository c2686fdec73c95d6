import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { ServedVersion } from '../routing/served-model.js';
import type { Deadlines, Expiring } from './deadlines.js';

/** Who makes an attempt; told at most once how it ended, and nothing after that. */
export interface AttemptOwner {
  onHead(attempt: Attempt, httpStatus: number, rawHeaders: readonly string[], headers: IncomingHttpHeaders): void;
  onData(attempt: Attempt, chunk: Buffer): void;
  onEnd(attempt: Attempt): void;
  onFailure(attempt: Attempt, status: 'error' | 'timeout'): void;
  /** The client has not read for a long time. */
  onStalledClient(): void;
}

const GIVEN_UP = new Error('given up');
/** A client that reads nothing for this long is gone. */
const CLIENT_STALL_MS_MAX = 60_000;

/**
 * One request to one version. It holds a place in the version's concurrency until its connection is free again, even
 * when nobody waits for the answer any more: a server that hangs is not given more and more.
 */
export class Attempt implements Dispatcher.DispatchHandler, Expiring {
  slot = -1;
  private controller: Dispatcher.DispatchController | null = null;
  /** The owner is not interested any more. */
  private over = false;
  private released = false;
  private pausedAtMs: number | null = null;
  private pausedMs = 0;

  constructor(
    private readonly owner: AttemptOwner,
    readonly version: ServedVersion,
    readonly startedAtMs: number,
    private readonly deadlines: Deadlines,
  ) {
    version.upstream.inFlight++;
    deadlines.add(this);
  }

  /** Time it has taken, less the time the client took to read. */
  elapsedMs(nowMs: number): number {
    const pausedMs = this.pausedAtMs === null ? this.pausedMs : this.pausedMs + nowMs - this.pausedAtMs;
    return nowMs - this.startedAtMs - pausedMs;
  }

  /** Cuts the connection; nothing more is told. */
  abort(): void {
    this.over = true;
    this.controller?.abort(GIVEN_UP);
  }

  /** The answer is of no use: it may come to its end, within the deadline, so that the connection stays. */
  discard(): void {
    this.over = true;
  }

  /** The client reads more slowly than the version answers. */
  pause(nowMs: number): void {
    this.pausedAtMs ??= nowMs;
    this.controller?.pause();
  }

  resume(nowMs: number): void {
    if (this.pausedAtMs !== null) this.pausedMs += nowMs - this.pausedAtMs;
    this.pausedAtMs = null;
    if (!this.over) this.controller?.resume();
  }

  checkDeadline(nowMs: number): void {
    if (this.pausedAtMs !== null && nowMs - this.pausedAtMs > CLIENT_STALL_MS_MAX) return this.owner.onStalledClient();
    if (this.elapsedMs(nowMs) < this.version.planned.deadlineMs) return;
    this.deadlines.delete(this);
    const wasOver = this.over;
    this.abort();
    if (!wasOver) this.owner.onFailure(this, 'timeout');
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.over) controller.abort(GIVEN_UP);
  }

  onResponseStart(controller: Dispatcher.DispatchController, httpStatus: number, headers: IncomingHttpHeaders): void {
    // Informational answers are for the connection they come on.
    if (!this.over && httpStatus >= 200) this.owner.onHead(this, httpStatus, textOf(controller.rawHeaders), headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.over) this.owner.onData(this, chunk);
  }

  onResponseEnd(): void {
    this.release();
    if (this.over) return;
    this.over = true;
    this.owner.onEnd(this);
  }

  onResponseError(): void {
    this.release();
    if (this.over) return;
    this.over = true;
    this.owner.onFailure(this, 'error');
  }

  private release(): void {
    if (this.released) return;
    this.released = true;
    this.version.upstream.inFlight--;
    this.deadlines.delete(this);
  }
}

/** undici gives names and values as they stood on the wire, one after the other. */
function textOf(raw: Dispatcher.DispatchController['rawHeaders']): readonly string[] {
  return Array.isArray(raw) ? raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))) : [];
}
