import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A model server on loopback that does what a test tells it. For tests. */
export class ModelServer {
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }[] = [];
  /** Requests whose connection ended before their answer. */
  aborted = 0;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void) {
    let self: ModelServer | null = null;
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      response.on('close', () => {
        if (!response.writableFinished) self!.aborted++;
      });
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        self!.requests.push({ method: request.method!, url: request.url!, headers: request.headers, body });
        answer(request, response, body);
      });
    };
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    self = new ModelServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return self;
  }

  /** A server that answers every request with this JSON. */
  static answering(json: unknown, status = 200): Promise<ModelServer> {
    const body = JSON.stringify(json);
    return ModelServer.start((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
