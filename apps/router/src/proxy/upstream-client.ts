import type { Clock } from '@app/shared/core';
import { Deadlines } from './deadlines.js';
import {
  type AnswerHandler,
  type ConnectionOwner,
  UpstreamConnection,
  type UpstreamRequest,
  type UpstreamTarget,
} from './upstream-connection.js';

/** Model servers close idle connections after 5 s at the earliest (uvicorn, Node): be earlier, or requests get lost. */
const IDLE_MS_MAX = 4000;
/** How much earlier than the server said. */
const IDLE_MARGIN_MS = 1000;
const SWEEP_MS = 250;

/**
 * HTTP/1.1 to one model server, over as many connections as requests are under way. The connection that was used last is
 * used first, so that those a burst has left over expire. A request that meets a kept connection which the server has
 * closed is sent once more, over a new one: it cannot have been answered, and predictions change nothing.
 */
export class UpstreamClient implements ConnectionOwner {
  private readonly connections: Deadlines<UpstreamConnection>;
  private readonly free: UpstreamConnection[] = [];
  private closing = false;

  constructor(
    private readonly target: UpstreamTarget,
    private readonly clock: Clock,
  ) {
    this.connections = new Deadlines(clock, SWEEP_MS);
  }

  /** Open connections, used or not. */
  get size(): number {
    return this.connections.size;
  }

  /** Sends a request; everything else is told to the handler. */
  send(request: UpstreamRequest, handler: AnswerHandler): void {
    const free = this.takeFree();
    if (free) free.send(request, handler);
    else this.sendAnew(request, handler);
  }

  sendAnew(request: UpstreamRequest, handler: AnswerHandler): void {
    const connection = new UpstreamConnection(this, this.target, this.clock.monotonicMs());
    this.connections.add(connection);
    connection.send(request, handler);
  }

  onFree(connection: UpstreamConnection): void {
    const { keepAliveS } = connection;
    const idleMs = keepAliveS === null ? IDLE_MS_MAX : Math.min(IDLE_MS_MAX, keepAliveS * 1000 - IDLE_MARGIN_MS);
    if (this.closing || idleMs <= 0) return connection.close();
    connection.expireAt(this.clock.monotonicMs() + idleMs);
    this.free.push(connection);
  }

  onClosed(connection: UpstreamConnection): void {
    this.connections.delete(connection);
    // Mostly one of the oldest, or none of these at all.
    const index = this.free.indexOf(connection);
    if (index !== -1) this.free.splice(index, 1);
  }

  /** Lets what is under way finish. */
  close(): void {
    this.closing = true;
    for (const connection of [...this.free]) connection.close();
  }

  /** Cuts all connections; whoever waits for an answer is told. */
  destroy(): void {
    this.closing = true;
    this.connections.forEach((connection) => connection.close());
    this.connections.close();
  }

  private takeFree(): UpstreamConnection | null {
    const nowMs = this.clock.monotonicMs();
    for (let connection = this.free.pop(); connection; connection = this.free.pop()) {
      if (!connection.isExpired(nowMs)) return connection;
      connection.close();
    }
    return null;
  }
}
