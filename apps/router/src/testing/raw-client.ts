import { type Socket, connect } from 'node:net';

/** A client that speaks bytes, not HTTP: for what no library would send. For tests. */
export interface RawClient {
  readonly socket: Socket;
  /** As latin1 text. */
  received(): string;
  /** The other side closed the connection, or cut it. */
  closed(): boolean;
}

/** Connects to a URL's host and port and sends a text, as latin1. */
export function sendRaw(url: string, text: string): RawClient {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let received = '';
  let closed = false;
  socket.on('data', (chunk) => (received += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  socket.write(text, 'latin1');
  return { socket, received: () => received, closed: () => closed };
}
