import { createServer, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A TCP port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** Whether something listens on a port of the loopback. */
export function portIsOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(1000, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

const POLL_MS = 50;

/** Waits until a port is open; false when `giveUp` says so first. */
export async function waitForPort(port: number, giveUp: () => boolean): Promise<boolean> {
  while (!giveUp()) {
    if (await portIsOpen(port)) return true;
    await delay(POLL_MS);
  }
  return false;
}
