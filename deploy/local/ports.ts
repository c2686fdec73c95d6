import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const SERVER_PORTS = [16_384, 32_768] as const;
const PORT_TRIES_MAX = 200;
/** A file for each port that was given out, with the id of the process it is for: its server may not listen yet when the next one asks. */
const GIVEN = join(tmpdir(), 'model-canary-ports');
const ANSWER_MS = 1000;
const POLL_MS = 50;

/**
 * A TCP port of the loopback that is free now, below those that systems give to outgoing connections (from 32768 on): of
 * those, any program that connects somewhere could take the port before its server listens.
 */
export async function freePort(): Promise<number> {
  for (let i = 0; i < PORT_TRIES_MAX; i++) {
    const port = randomInt(...SERVER_PORTS);
    if (reserve(port) && (await canListen(port))) return port;
  }
  throw new Error(`no free port was found between ${SERVER_PORTS.join(' and ')} on 127.0.0.1`);
}

const reserved: string[] = [];

/** Whether no program has been given this port; it is this one's then, as long as it runs. */
function reserve(port: number): boolean {
  const file = join(GIVEN, String(port));
  try {
    mkdirSync(GIVEN, { recursive: true });
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    // Where no file can be written, nobody can be told.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true;
    if (!inheritOfTheDead(file)) return false;
  }
  if (reserved.length === 0) process.once('exit', () => reserved.forEach((path) => rmSync(path, { force: true })));
  reserved.push(file);
  return true;
}

/** A process that was killed has not given its ports back. */
function inheritOfTheDead(file: string): boolean {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return false;
  } catch (error) {
    // ESRCH: it is gone. Else it is another user's, or the file has just gone.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return false;
  }
  writeFileSync(file, String(process.pid));
  return true;
}

function canListen(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
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
