import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A webhook's receiver that answers as it is told. */
export class Receiver {
  readonly received: Received[] = [];
  /** Status of the next answers by path; 200 unless given. */
  readonly answers = new Map<string, { readonly status: number; readonly headers?: Record<string, string> }>();
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const { url: path = '', headers } = request;
        this.received.push({ path, headers, body: await text(request) });
        const { status, headers: own = {} } = this.answers.get(path) ?? { status: 200 };
        response.writeHead(status, own).end(`answer ${status}`);
      };
      void answer();
    });
  }

  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await new Promise<void>((resolve) => receiver.server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** Decision ids that came to a path, in order. */
  ids(path: string): string[] {
    return this.received.filter((one) => one.path === path).map(({ headers }) => String(headers['idempotency-key']));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
