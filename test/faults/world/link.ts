import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * What happens to what is sent over a link.
 *   open       passed on at once
 *   delayed    passed on `delayMs` later, both ways
 *   stalled    nothing is passed on, nobody is told; goes on when the link is open again
 *   half-open  the far ends are gone and the near ends are not told, ever: what is sent disappears
 *   cut        connections are reset, and new ones too
 */
export type LinkMode =
  { readonly kind: 'open' | 'stalled' | 'half-open' | 'cut' } | { readonly kind: 'delayed'; readonly delayMs: number };

export const OPEN: LinkMode = { kind: 'open' };

/** Beyond that a direction waits for its reader. */
const QUEUED_BYTES_MAX = 8 * 1024 * 1024;

/** A TCP proxy in one service's path to one server, for as long as it is not closed. */
export class Link {
  private readonly server: Server;
  private readonly connections = new Set<Connection>();
  private current: LinkMode = OPEN;

  private constructor(private readonly targetPort: number) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.accept(near));
  }

  /** A link to a port of the loopback, on which something need not listen yet. */
  static async to(targetPort: number): Promise<Link> {
    const link = new Link(targetPort);
    await new Promise<void>((resolve, reject) => {
      link.server.once('error', reject);
      link.server.listen(0, '127.0.0.1', resolve);
    });
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get mode(): LinkMode {
    return this.current;
  }

  set(mode: LinkMode): void {
    this.current = mode;
    for (const connection of [...this.connections]) connection.follow(mode);
  }

  /** Resets every connection there is; new ones are as the mode says. */
  reset(): void {
    for (const connection of [...this.connections]) connection.reset();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.reset();
    await closed;
  }

  private accept(near: Socket): void {
    if (this.current.kind === 'cut') {
      near.on('error', () => undefined);
      near.resetAndDestroy();
      return;
    }
    const connection = new Connection(near, this.targetPort, () => this.connections.delete(connection));
    this.connections.add(connection);
    connection.follow(this.current);
  }
}

/** One client's connection and ours to the server in its name. */
class Connection {
  private readonly far: Socket;
  private mode: LinkMode = OPEN;
  /** The far end is gone and the near end has not been told. */
  private swallowing = false;
  private readonly directions: readonly Direction[];

  constructor(
    private readonly near: Socket,
    targetPort: number,
    private readonly closed: () => void,
  ) {
    this.far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.directions = [new Direction(near, this.far), new Direction(this.far, near)];
    near.on('error', () => this.reset());
    this.far.on('error', () => this.reset());
    near.on('close', () => this.end(this.far));
    this.far.on('close', () => this.end(near));
  }

  follow(mode: LinkMode): void {
    this.mode = mode;
    if (mode.kind === 'cut') return this.reset();
    if (mode.kind === 'half-open' && !this.swallowing) {
      this.swallowing = true;
      for (const direction of this.directions) direction.swallow();
      this.far.destroy();
      return;
    }
    for (const direction of this.directions) direction.follow(mode);
  }

  reset(): void {
    this.near.resetAndDestroy();
    this.far.resetAndDestroy();
    this.closed();
  }

  private end(other: Socket): void {
    if (this.swallowing && other === this.near) return;
    other.destroy();
    this.closed();
  }
}

/** Bytes one way. */
class Direction {
  private queue: { readonly dueMs: number; readonly chunk: Buffer | null }[] = [];
  private queuedBytes = 0;
  private timer: NodeJS.Timeout | null = null;
  private mode: LinkMode = OPEN;
  private gone = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    from.on('data', (chunk) => this.take(chunk));
    from.on('end', () => this.take(null));
    to.on('drain', () => this.goOn());
  }

  follow(mode: LinkMode): void {
    this.mode = mode;
    this.goOn();
  }

  /** From now on everything disappears. */
  swallow(): void {
    this.gone = true;
    this.queue = [];
    this.from.resume();
  }

  private take(chunk: Buffer | null): void {
    if (this.gone) return;
    if (this.mode.kind === 'open' && this.queue.length === 0) return this.pass(chunk);
    const delayMs = this.mode.kind === 'delayed' ? this.mode.delayMs : 0;
    this.queue.push({ dueMs: performance.now() + delayMs, chunk });
    this.queuedBytes += chunk?.length ?? 0;
    if (this.queuedBytes > QUEUED_BYTES_MAX) this.from.pause();
    this.goOn();
  }

  private goOn(): void {
    if (this.gone || this.mode.kind === 'stalled' || this.timer) return;
    const nowMs = performance.now();
    for (let next = this.queue[0]; next; next = this.queue[0]) {
      if (next.dueMs > nowMs) {
        this.timer = setTimeout(() => {
          this.timer = null;
          this.goOn();
        }, next.dueMs - nowMs);
        return;
      }
      this.queue.shift();
      this.queuedBytes -= next.chunk?.length ?? 0;
      this.pass(next.chunk);
    }
    if (!this.to.writableNeedDrain) this.from.resume();
  }

  private pass(chunk: Buffer | null): void {
    if (this.to.destroyed) return;
    if (chunk === null) this.to.end();
    else if (!this.to.write(chunk)) this.from.pause();
  }
}
