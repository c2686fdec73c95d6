import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Guard } from '../../../deploy/local/guard.js';
import { cpuMs } from '../process-usage.js';
import { onCore } from './cores.js';

const START_MS_MAX = 20_000;
const SAID_LENGTH_MAX = 4000;

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Listens there when it is up. */
  readonly port: number;
  /** Runs on that core only, where the machine allows it. */
  readonly core?: number;
  readonly guard: Guard;
}

/** A program that takes part in a benchmark as a process of its own, with those it starts itself. */
export class Program {
  private said = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly guard: Guard,
  ) {}

  /** Resolves when it listens. Throws with what it said if it ends before. */
  static async start(options: ProgramOptions): Promise<Program> {
    const { command, args, env, port, core, guard } = options;
    const [file, allArgs] = onCore(core, command, args);
    const child = spawn(file, allArgs, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
    });
    const program = new Program(child, guard);
    child.stdout.on('data', (chunk: Buffer) => program.hear(String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => program.hear(String(chunk)));
    child.on('error', (error) => program.hear(error.message));
    if (child.pid !== undefined) guard.watch('pid', child.pid);
    const giveUpAtMs = performance.now() + START_MS_MAX;
    while (!(await listens(port))) {
      if (program.hasEnded || performance.now() > giveUpAtMs) {
        await program.stop('SIGKILL');
        throw new Error(`${command} did not start: ${program.lastWords}`);
      }
      await delay(20);
    }
    return program;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Its own process id and those of its children. Throws with what it said if it has ended. */
  get pids(): readonly number[] {
    if (this.hasEnded) throw new Error(`${this.child.spawnfile} has ended: ${this.lastWords}`);
    return [this.pid, ...childrenOf(this.pid)];
  }

  /** CPU time of it and its children so far, ms. */
  cpuMs(): number {
    return this.pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
  }

  private hear(text: string): void {
    this.said = (this.said + text).slice(-SAID_LENGTH_MAX);
  }

  private get lastWords(): string {
    return this.said.trim() || 'it said nothing';
  }

  private get hasEnded(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Ends it; resolves with its exit code when it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.hasEnded) return this.child.exitCode;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill(signal);
    await gone;
    this.guard.forget('pid', this.pid);
    return this.child.exitCode;
  }
}

function childrenOf(pid: number): readonly number[] {
  const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return own === '' ? [] : own.split(' ').map(Number);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
