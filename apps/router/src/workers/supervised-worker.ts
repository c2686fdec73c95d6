import { type ChildProcess, fork } from 'node:child_process';
import type { MetricsJson, ToSupervisor, ToWorker } from './messages.js';

/** The argument that makes this program a worker. */
export const WORKER_ARGUMENT = 'worker';

export interface WorkerEvents {
  readonly onServing: (url: string) => void;
  readonly onMetrics: (request: number, metrics: MetricsJson) => void;
  /** Somebody scraped this worker and wants to see all of them. */
  readonly onMetricsAsked: (request: number) => void;
  /** It is gone: its exit code, or the signal that ended it. */
  readonly onExit: (why: number | NodeJS.Signals) => void;
}

/** The supervisor's end of a worker. */
export class SupervisedWorker {
  isServing = false;
  readonly exited: Promise<number | NodeJS.Signals>;
  private readonly child: ChildProcess;

  constructor(events: WorkerEvents) {
    this.child = fork(process.argv[1]!, [WORKER_ARGUMENT], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(signal ?? code ?? 1));
      this.child.once('error', () => resolve(1));
    });
    void this.exited.then((why) => {
      this.isServing = false;
      events.onExit(why);
    });
    this.child.on('message', (message) => this.hear(message as ToSupervisor, events));
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Without effect if it is gone. */
  tell(message: ToWorker): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private hear(message: ToSupervisor, events: WorkerEvents): void {
    switch (message.kind) {
      case 'serving':
        this.isServing = true;
        return events.onServing(message.url);
      case 'metrics':
        return events.onMetrics(message.request, message.metrics);
      case 'ask-metrics':
        return events.onMetricsAsked(message.request);
    }
  }
}
