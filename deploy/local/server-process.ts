import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { CanaryError } from '@app/shared';
import type { Guard } from './guard.js';
import type { LocalServer } from './local-server.js';
import { waitForAnswer } from './ports.js';

export interface ServerProcessOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  /** What it answers when it is up. */
  readonly hello: Buffer;
  readonly logFile: string;
  readonly startTimeoutMs: number;
  readonly guard: Guard;
}

/** A server as a child process: its output goes to a file, its answer says when it is up. */
export class ServerProcess implements LocalServer {
  private child: ChildProcess | null = null;

  constructor(private readonly options: ServerProcessOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  async start(): Promise<void> {
    if (this.child) return;
    const { name, command, args, port, hello, logFile, startTimeoutMs } = this.options;
    const child = this.spawn(command, args, logFile);
    const deadline = Date.now() + startTimeoutMs;
    const open = await waitForAnswer(port, hello, () => this.child !== child || Date.now() > deadline);
    if (open) return;
    await this.stop();
    throw new CanaryError('server-not-started', `${name} did not start: ${lastLines(logFile)}`);
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child) return;
    const gone = signal === 'SIGKILL' ? exitOf(child) : Promise.resolve();
    child.kill(signal);
    await gone;
  }

  async stop(): Promise<void> {
    const child = this.child;
    if (!child) return;
    const gone = exitOf(child);
    // Its data go with it, so there is nothing to close in order; SIGKILL also ends what SIGSTOP has stopped.
    child.kill('SIGKILL');
    await gone;
  }

  private spawn(command: string, args: readonly string[], logFile: string): ChildProcess {
    const { guard } = this.options;
    const log = openSync(logFile, 'a');
    const child = spawn(command, args, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    this.child = child;
    const { pid } = child;
    if (pid !== undefined) guard.watch('pid', pid);
    const gone = (): void => {
      if (pid !== undefined) guard.forget('pid', pid);
      if (this.child === child) this.child = null;
    };
    child.once('exit', gone);
    child.once('error', gone);
    child.unref();
    return child;
  }
}

const exitOf = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => {
        child.ref();
        child.once('exit', resolve);
        child.once('error', resolve);
      });

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-5);
  return lines.join('\n') || 'it said nothing';
}
