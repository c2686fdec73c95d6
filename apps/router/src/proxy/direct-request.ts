import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** Whoever takes a request's body, piece by piece as the parser reads it. */
export interface BodySink {
  onChunk(chunk: Buffer): void;
  onEnd(): void;
}

/** For requests that have none. */
export const NO_BODY: BodySink = { onChunk: () => undefined, onEnd: () => undefined };

/**
 * A request whose body can be taken straight from Node's parser: the buffer, the events and the turns of the event loop
 * of a stream cost more than a small body does. Until takeBody() and after leaveBody() it is the usual stream.
 */
export class DirectRequest extends IncomingMessage {
  /** Node's own; false: once the answer is out, it resumes the stream to drain it. */
  declare protected _consuming: boolean;
  private sink: BodySink | null = null;
  /** The body was handed over to its end. */
  private isTaken = false;

  /** From now on the body goes there. Only while the request is being told of: later some of it may be in the stream. */
  takeBody(sink: BodySink): void {
    this.sink = sink;
    this._consuming = true;
  }

  /** What is still to come is the stream's again, for whoever drains it. */
  leaveBody(): void {
    this.sink = null;
  }

  /** Called by the parser: a piece of the body, or null for its end. */
  override push(chunk: Buffer | null): boolean {
    const { sink } = this;
    if (sink === null) return super.push(chunk);
    if (chunk !== null) {
      sink.onChunk(chunk);
    } else {
      this.isTaken = true;
      this.sink = null;
      sink.onEnd();
    }
    return true;
  }

  static {
    const { get } = Object.getOwnPropertyDescriptor(Readable.prototype, 'readableEnded')!;
    // By it Node knows that it may forget the request. TypeScript has it as a field, which no accessor may override.
    Object.defineProperty(this.prototype, 'readableEnded', {
      get(this: DirectRequest): boolean {
        return this.isTaken || (get!.call(this) as boolean);
      },
    });
  }
}
