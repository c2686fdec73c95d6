import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CanaryError } from '@app/shared';
import type { Guard } from '../../../../deploy/local/guard.js';

export interface ServiceProcessOptions {
  /** For messages. */
  readonly name: string;
  /** Its compiled main.js. */
  readonly main: URL;
  readonly env: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly nodeFlags?: readonly string[];
  /** Its standard error goes there, appended. */
  readonly logFile: string;
  /** Ends it when this process ends without doing so. */
  readonly guard: Guard;
}

/** One of our services as a process of its own. */
export interface ServiceProcess {
  readonly pid: number;
  readonly url: string;
  /** Resolves with its exit code, 128 + n for signal n. */
  readonly exited: Promise<number>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number>;
  signal(signal: NodeJS.Signals): void;
}

const START_MS_MAX = 60_000;
const SIGNAL_CODES: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };
const LINES_KEPT = 20;

/** Starts a service; resolves when it says that it has started. Throws CanaryError `service-not-started` with its words. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<ServiceProcess> {
  const { name, main, env, nodeFlags = [], guard } = options;
  // A process group of its own: Ctrl-C in a terminal is for the demo, which then closes the services in order.
  const child = spawn(process.execPath, [...nodeFlags, fileURLToPath(main)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: process.env.HOME, HTTP_PORT: '0', ...env },
  });
  const pid = child.pid;
  if (pid === undefined) throw new CanaryError('service-not-started', `${name} cannot be started`);
  guard.watch('pid', pid);
  const exited = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => {
      guard.forget('pid', pid);
      resolve(code ?? SIGNAL_CODES[signal!] ?? 1);
    });
  });
  const url = await startedUrl(child, options, exited);
  const signal = (what: NodeJS.Signals): void => void child.kill(what);
  const stop = (): Promise<number> => {
    signal('SIGTERM');
    return exited;
  };
  return { pid, url, exited, stop, signal };
}

/** Reads the log until the service says where it is. */
function startedUrl(child: ChildProcess, options: ServiceProcessOptions, exited: Promise<number>): Promise<string> {
  const { name, logFile } = options;
  const lastLines: string[] = [];
  const lines = createInterface({ input: child.stderr! });
  const allRead = new Promise<void>((resolve) => lines.once('close', resolve));
  return new Promise((resolve, reject) => {
    const fail = (what: string): void =>
      reject(new CanaryError('service-not-started', `${name} ${what}:\n${lastLines.join('\n')}`));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`did not start within ${START_MS_MAX / 1000} s`);
    }, START_MS_MAX);
    void exited.then(async (code) => {
      clearTimeout(timer);
      // The last lines may still be on their way, or have been read before.
      await allRead;
      fail(`ended with exit code ${code}`);
    });
    lines.on('line', (line) => {
      appendFileSync(logFile, `${line}\n`);
      lastLines.push(line);
      if (lastLines.length > LINES_KEPT) lastLines.shift();
      const url = urlOf(line);
      if (url === null) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

/** The line {"msg":"started","url":...} of runUntilSignal. */
function urlOf(line: string): string | null {
  if (!line.includes('"started"')) return null;
  try {
    const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
    return msg === 'started' && url !== undefined ? url : null;
  } catch {
    return null; // not a line of the log
  }
}
