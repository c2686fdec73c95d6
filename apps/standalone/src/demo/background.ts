import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * A file of the demo that runs beside it: as a thread of this process, or as a process of its own. It gets its data at
 * the start, and messages (plain data) go both ways. The other end is backgroundSide().
 */
export interface Background<In, Out> {
  send(message: In): void;
  onMessage(listener: (message: Out) => void): void;
  /** The next message that `wanted` lets through. Rejects if the other side ends before. */
  next<T extends Out>(wanted: (message: Out) => message is T): Promise<T>;
  /** Asks it to end, and waits until it has. */
  close(): Promise<void>;
}

export type BackgroundKind = 'thread' | 'process';

const CLOSE = 'close';
const CLOSE_MS_MAX = 5_000;
const DATA_VARIABLE = 'MODEL_CANARY_DEMO_DATA';

/** What threads, processes and their ports have in common. */
interface Events {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
}

interface Peer {
  readonly events: Events;
  send(message: unknown): void;
  kill(): void;
}

export function startBackground<In, Out>(kind: BackgroundKind, file: URL, data: unknown): Background<In, Out> {
  const peer = kind === 'thread' ? startThread(file, data) : startProcess(file, data);
  let problem: unknown = null;
  peer.events.on('error', (error) => (problem = error));
  const exited = new Promise<void>((resolve) => void peer.events.on('exit', () => resolve()));
  return {
    send: (message) => peer.send(message),
    onMessage: (listener) => void peer.events.on('message', (message) => listener(message as Out)),
    next: <T extends Out>(wanted: (message: Out) => message is T) =>
      new Promise<T>((resolve, reject) => {
        const listener = (message: unknown): void => {
          if (!wanted(message as Out)) return;
          peer.events.off('message', listener);
          resolve(message as T);
        };
        peer.events.on('message', listener);
        void exited.then(() => reject(new Error(`${file.pathname} has ended`, { cause: problem })));
      }),
    close: async () => {
      peer.send(CLOSE);
      const timer = setTimeout(() => peer.kill(), CLOSE_MS_MAX);
      await exited;
      clearTimeout(timer);
    },
  };
}

function startThread(file: URL, data: unknown): Peer {
  const worker = new Worker(file, { workerData: data });
  return { events: worker, send: (message) => worker.postMessage(message), kill: () => void worker.terminate() };
}

function startProcess(file: URL, data: unknown): Peer {
  const child = fork(fileURLToPath(file), { env: { ...process.env, [DATA_VARIABLE]: JSON.stringify(data) } });
  return {
    events: child,
    send: (message) => {
      if (child.connected) child.send(message as object);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

export interface BackgroundSide<In, Out> {
  readonly data: unknown;
  send(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  /** `close` frees everything; the thread or process then ends by itself. */
  onClose(close: () => Promise<void>): void;
}

/** What a background file talks to its starter with. */
export function backgroundSide<In, Out>(): BackgroundSide<In, Out> {
  const port = parentPort;
  const events: Events = port ?? process;
  // Ctrl-C reaches every process of the terminal; when to end is for the demo to say.
  if (!port) process.on('SIGINT', () => undefined);
  return {
    data: port ? (workerData as unknown) : JSON.parse(process.env[DATA_VARIABLE] ?? 'null'),
    send: (message) => (port ? port.postMessage(message) : process.send?.(message)),
    onMessage: (listener) => void events.on('message', (message) => message !== CLOSE && listener(message as In)),
    onClose: (close) => {
      const end = (): void => void close().finally(() => (port ? port.close() : process.exit(0)));
      events.on('message', (message) => message === CLOSE && end());
      if (!port) process.once('disconnect', end);
    },
  };
}
