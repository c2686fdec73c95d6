import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Guard } from '../../../deploy/local/guard.js';
import type { Reader } from './contestant.js';

const LINES_KEPT = 20;

/** A program that says again and again, a line each, how many records it has taken in. */
export class CountingProcess implements Reader {
  private count = 0;
  private readonly lastWords: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly guard: Guard,
  ) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (/^\d+$/.test(line)) this.count = Number(line);
    });
    createInterface({ input: child.stderr! }).on('line', (line) => {
      this.lastWords.push(line);
      if (this.lastWords.length > LINES_KEPT) this.lastWords.shift();
    });
  }

  static start(command: string, args: readonly string[], guard: Guard): CountingProcess {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid === undefined) throw new Error(`${command} cannot be started`);
    guard.watch('pid', child.pid);
    return new CountingProcess(child, guard);
  }

  get pids(): readonly number[] {
    return [this.child.pid!];
  }

  records(): Promise<number> {
    if (this.hasEnded) throw new Error(`it ended: ${this.lastWords.join('\n')}`);
    return Promise.resolve(this.count);
  }

  async stop(): Promise<void> {
    if (!this.hasEnded) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await gone;
    }
    this.guard.forget('pid', this.child.pid!);
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
