import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A port that only the workers will share: the one wanted, or a free one for 0. Where a port may be shared, a second
 * router on it would not be noticed by anybody, so it is taken alone first. Rejects as listen() does.
 */
export async function portToShare(wanted: number, host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: wanted, host, exclusive: true }, () => resolve());
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
