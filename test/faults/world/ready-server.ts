import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Says 200 to everything: all that a controller asks of a canary. */
export async function readyServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
