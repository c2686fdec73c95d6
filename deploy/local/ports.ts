import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ANSWER_MS = 1000;
const POLL_MS = 50;

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
export const portIsOpen = (port: number): Promise<boolean> => talk(port, (socket, answer) => answer(true));

/**
 * Whether a server answers `hello`, whatever it says. An open port is not enough: Docker opens a container's port before
 * there is anything behind it.
 */
const answers = (port: number, hello: Buffer): Promise<boolean> =>
  talk(port, (socket, answer) => {
    socket.once('data', () => answer(true));
    socket.once('close', () => answer(false));
    socket.write(hello);
  });

function talk(port: number, onConnect: (socket: Socket, answer: (yes: boolean) => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const answer = (yes: boolean): void => {
      resolve(yes);
      socket.destroy();
    };
    socket.setTimeout(ANSWER_MS, () => answer(false));
    socket.once('connect', () => onConnect(socket, answer));
    socket.once('error', () => answer(false));
  });
}

/** Waits until a server answers; false when `giveUp` says so first. */
export async function waitForAnswer(port: number, hello: Buffer, giveUp: () => boolean): Promise<boolean> {
  while (!giveUp()) {
    if (await answers(port, hello)) return true;
    await delay(POLL_MS);
  }
  return false;
}
