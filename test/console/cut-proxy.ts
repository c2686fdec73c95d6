import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A wire between browser and controller that can be cut, and mended to wherever the controller is then. */
export class CutProxy {
  private readonly sockets = new Set<Socket>();
  private target: { readonly host: string; readonly port: number } | null;
  private readonly server: Server;
  url = '';

  private constructor(targetUrl: string) {
    this.target = placeOf(targetUrl);
    this.server = createServer((socket) => this.accept(socket));
  }

  static async open(targetUrl: string): Promise<CutProxy> {
    const proxy = new CutProxy(targetUrl);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    proxy.url = `http://127.0.0.1:${(proxy.server.address() as AddressInfo).port}`;
    return proxy;
  }

  /** Every connection breaks, and new ones too, until it is mended. */
  cut(): void {
    this.target = null;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(targetUrl: string): void {
    this.target = placeOf(targetUrl);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  private accept(socket: Socket): void {
    if (!this.target) return void socket.destroy();
    const upstream = connect(this.target.port, this.target.host);
    for (const end of [socket, upstream]) {
      this.sockets.add(end);
      end.on('error', () => undefined); // the other end learns of it by the close
      end.on('close', () => {
        this.sockets.delete(end);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  }
}

function placeOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
