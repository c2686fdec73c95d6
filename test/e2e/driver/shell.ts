import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ran {
  readonly code: number | null;
  readonly out: string;
}

/** A command that goes on. */
export class Started {
  out = '';
  private readonly exited: Promise<number | null>;

  constructor(
    readonly line: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** To it and all that it started, as Ctrl-C does. */
  signal(signal: NodeJS.Signals): void {
    if (!this.isOver) process.kill(-this.child.pid!, signal);
  }

  async end(): Promise<Ran> {
    return { code: await this.exited, out: this.out };
  }
}

/** Runs command lines one after the other, as a person at a terminal does: what is exported stays. */
export class Shell {
  private readonly started: Started[] = [];

  constructor(
    private readonly cwd: string,
    readonly env: Record<string, string | undefined>,
  ) {}

  export(line: string): void {
    for (const [, name, value] of line.matchAll(/([A-Z_]+)=(\S+)/g)) this.env[name!] = value;
  }

  start(line: string): Started {
    const child = spawn('bash', ['-c', line], {
      cwd: this.cwd,
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, so that what npm starts ends with it.
      detached: true,
    });
    const started = new Started(line, child);
    this.started.push(started);
    return started;
  }

  run(line: string): Promise<Ran> {
    return this.start(line).end();
  }

  async close(): Promise<void> {
    for (const started of this.started) started.signal('SIGTERM');
    const timer = setTimeout(() => this.started.forEach((started) => started.signal('SIGKILL')), 15_000);
    await Promise.all(this.started.map((started) => started.end()));
    clearTimeout(timer);
  }
}
