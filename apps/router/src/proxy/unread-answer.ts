import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@app/shared/core';
import type { Deadlines, Expiring } from './deadlines.js';

export interface UnreadAnswerParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly clientStallMsMax: number;
}

/** Sees to it that a complete answer which its client does not read does not stay in memory for ever. */
export function watchUnreadAnswer(response: ServerResponse, parts: UnreadAnswerParts): void {
  const { socket } = response;
  if (socket && socket.writableLength > 0) parts.deadlines.add(new UnreadAnswer(socket, parts));
}

/** An answer that is complete here and on its way to a client that reads slowly. */
class UnreadAnswer implements Expiring {
  slot = -1;
  private unread: number;
  private readAtMs: number;

  constructor(
    private readonly socket: Socket,
    private readonly parts: UnreadAnswerParts,
  ) {
    this.unread = socket.writableLength;
    this.readAtMs = parts.clock.monotonicMs();
  }

  checkDeadline(nowMs: number): void {
    const { writableLength, destroyed } = this.socket;
    if (destroyed || writableLength === 0) return this.parts.deadlines.delete(this);
    if (writableLength !== this.unread) {
      this.unread = writableLength;
      this.readAtMs = nowMs;
    } else if (nowMs - this.readAtMs >= this.parts.clientStallMsMax) {
      this.parts.deadlines.delete(this);
      this.socket.destroy();
    }
  }
}
