import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { type TlsOptions, createServer as createTlsServer } from 'node:tls';

/** One connection to a ScriptedServer. */
export interface ScriptedConnection {
  readonly socket: Socket;
  /** Everything that came, as latin1 text. */
  received: string;
  /** The other side closed it, or cut it. */
  ended: boolean;
}

/** A server that speaks bytes, not HTTP: for what no model server should do, and some do. For tests. */
export class ScriptedServer {
  readonly connections: ScriptedConnection[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** `onRequest` is called whenever a request head has come, `n` counting those of a connection from 1. */
  static async start(
    onRequest: (connection: ScriptedConnection, n: number) => void = () => undefined,
    tls: TlsOptions | null = null,
  ): Promise<ScriptedServer> {
    let self: ScriptedServer | null = null;
    const listener = (socket: Socket): void => self!.accept(socket, onRequest);
    const server = tls === null ? createServer(listener) : createTlsServer(tls, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    self = new ScriptedServer(server, (server.address() as AddressInfo).port);
    return self;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Those that neither side has closed. */
  get open(): number {
    return this.connections.filter(({ ended, socket }) => !ended && !socket.destroyed).length;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(socket: Socket, onRequest: (connection: ScriptedConnection, n: number) => void): void {
    const connection: ScriptedConnection = { socket, received: '', ended: false };
    this.connections.push(connection);
    let heads = 0;
    socket.on('data', (chunk) => {
      connection.received += chunk.toString('latin1');
      for (const n = connection.received.split('\r\n\r\n').length - 1; heads < n;) onRequest(connection, ++heads);
    });
    for (const event of ['end', 'close']) socket.on(event, () => (connection.ended = true));
    socket.on('error', () => (connection.ended = true));
  }
}
