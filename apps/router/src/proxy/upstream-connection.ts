import { type Socket, connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { AnswerFault, AnswerHead } from '../domain/answer-head.js';
import { AnswerParser, type AnswerSink } from '../domain/answer-parser.js';
import type { Expiring } from './deadlines.js';
import type { Body } from './request-body.js';

/** A request as it goes out. */
export interface UpstreamRequest {
  /** Up to and with the empty line; latin1. */
  readonly head: string;
  readonly body: Body | null;
  readonly isHead: boolean;
}

/** Why a request got no answer, or none that can be used. */
export type UpstreamFault = 'unreachable' | 'broke-off' | AnswerFault;

/** What the one who asked may do while the answer comes. */
export interface AnswerControl {
  /** Nothing more is told, or as much as was read already. */
  pause(): void;
  resume(): void;
  /** Cuts the connection; nothing more is told. */
  abort(): void;
}

/** Who asked: told onHead, onBody as often as needed, and onEnd; or at any time onFailure, and nothing after it. */
export interface AnswerHandler extends AnswerSink {
  /** The request goes out now; a second time, if a connection that was kept turned out to be closed. */
  onSend(control: AnswerControl): void;
  onFailure(fault: UpstreamFault): void;
}

/** Where connections go. */
export interface UpstreamTarget {
  readonly host: string;
  readonly port: number;
  /** Null: plain HTTP. The last session is kept there, for a shorter handshake next time. */
  readonly tls: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'servername' | 'session'> | null;
}

/** Who made the connection and gives it work. */
export interface ConnectionOwner {
  /** Its answer is complete, and it can take another request. */
  onFree(connection: UpstreamConnection): void;
  onClosed(connection: UpstreamConnection): void;
  /** It was closed by the server before the request could reach it. */
  sendAnew(request: UpstreamRequest, handler: AnswerHandler): void;
}

const CONNECT_MS_MAX = 5000;
const TCP_KEEP_ALIVE_MS = 60_000;
/** Head and body go out as one text up to this length: one write of one buffer is cheaper than a gathered one. */
const ONE_WRITE_BYTES_MAX = 16_384;
/** All connections read into this one: what is in it is used up before the next read of any of them. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);

/**
 * One connection to a model server: one request at a time, its answer read by AnswerParser. Whatever is not HTTP as it
 * should be closes it: bytes nobody asked for, bytes beyond an answer's end, an answer before the request went out whole.
 */
export class UpstreamConnection implements AnswerSink, AnswerControl, Expiring {
  slot = -1;
  isOpen = true;
  private readonly socket: Socket;
  private readonly parser = new AnswerParser(this);
  private request: UpstreamRequest | null = null;
  private handler: AnswerHandler | null = null;
  private connected = false;
  /** It has answered before. */
  private proven = false;
  private keepsAlive = false;
  private isPaused = false;
  /** Set while it connects, and while it is idle. */
  private expiresAtMs: number;
  /** Seconds the server keeps it open, as it said last. */
  keepAliveS: number | null = null;

  constructor(
    private readonly owner: ConnectionOwner,
    target: UpstreamTarget,
    nowMs: number,
  ) {
    this.expiresAtMs = nowMs + CONNECT_MS_MAX;
    const { host, port, tls } = target;
    const options = {
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
      onread: { buffer: READ_BUFFER, callback: (length: number) => this.onRead(READ_BUFFER.subarray(0, length)) },
    };
    this.socket = tls === null ? connect(options) : connectTls({ ...options, ...tls, ALPNProtocols: ['http/1.1'] });
    this.socket.once(tls === null ? 'connect' : 'secureConnect', () => this.onConnected());
    if (tls !== null) this.socket.on('session', (session: Buffer) => (tls.session = session));
    this.socket.on('end', () => this.onServerEnd());
    this.socket.on('error', () => undefined); // 'close' follows
    this.socket.on('close', () => this.onClosed());
  }

  /** Sends a request over a connection that is new or free. */
  send(request: UpstreamRequest, handler: AnswerHandler): void {
    this.request = request;
    this.handler = handler;
    if (this.connected) this.expiresAtMs = Infinity;
    this.parser.begin(request.isHead);
    handler.onSend(this);
    if (this.handler !== handler) return; // given up meanwhile
    const { head, body } = request;
    if (body === null) {
      this.socket.write(head, 'latin1');
    } else if (body.length <= ONE_WRITE_BYTES_MAX) {
      this.socket.write(
        body.pieces.reduce((text, piece) => text + piece.toString('latin1'), head),
        'latin1',
      );
    } else {
      this.socket.cork();
      this.socket.write(head, 'latin1');
      for (const piece of body.pieces) this.socket.write(piece);
      this.socket.uncork();
    }
  }

  /** It is free: closed if nobody needs it before that time. */
  expireAt(atMs: number): void {
    this.expiresAtMs = atMs;
  }

  /** Whether it is too late to use it. */
  isExpired(nowMs: number): boolean {
    return nowMs >= this.expiresAtMs;
  }

  checkDeadline(nowMs: number): void {
    if (this.isExpired(nowMs)) this.fail('unreachable');
  }

  pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.socket.resume();
  }

  abort(): void {
    this.handler = null;
    this.close();
  }

  /** Closes it at once. Whoever waits for an answer is told. */
  close(): void {
    this.fail('broke-off');
  }

  onHead(head: AnswerHead): void {
    this.keepsAlive = head.keepsAlive;
    this.keepAliveS = head.keepAliveS ?? this.keepAliveS;
    this.handler!.onHead(head);
  }

  onBody(bytes: Buffer): void {
    this.handler!.onBody(bytes);
  }

  onEnd(last: Buffer | null): void {
    const handler = this.handler!;
    this.handler = null;
    this.request = null;
    this.proven = true;
    if (this.isPaused) this.resume();
    // An answer may come before the request is out whole; the rest of that is no beginning of another one.
    if (this.keepsAlive && this.socket.writableLength === 0) this.owner.onFree(this);
    else this.close();
    handler.onEnd(last);
  }

  private onConnected(): void {
    this.connected = true;
    this.expiresAtMs = Infinity;
  }

  private onRead(bytes: Buffer): boolean {
    if (this.handler === null) {
      this.close();
    } else {
      const fault = this.parser.feed(bytes);
      if (fault !== null) this.fail(fault);
    }
    return true;
  }

  private onServerEnd(): void {
    if (!this.parser.end()) this.onClosed();
  }

  private onClosed(): void {
    const { request, handler } = this;
    if (this.isOpen && handler !== null && this.proven && this.parser.isUntouched) {
      this.handler = null;
      this.close();
      return this.owner.sendAnew(request!, handler);
    }
    this.fail(this.connected ? 'broke-off' : 'unreachable');
  }

  private fail(fault: UpstreamFault): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    const { handler } = this;
    this.handler = null;
    this.request = null;
    this.parser.stop();
    this.owner.onClosed(this);
    this.socket.destroy();
    handler?.onFailure(fault);
  }
}
