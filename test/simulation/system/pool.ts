import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './worker.js';

/** Workers that run plans, one each at a time. */
export class Pool {
  private readonly idle: Worker[] = [];
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private readonly workers: readonly Worker[];

  constructor(size: number, worker: URL = new URL('./worker.js', import.meta.url)) {
    const options = { execArgv: ['--enable-source-maps'] };
    this.workers = Array.from({ length: size }, () => new Worker(worker, options));
    this.idle.push(...this.workers);
  }

  /** Rejects when the simulation itself is broken; a plan that fails is a result. */
  async run(task: Task): Promise<TaskResult> {
    const worker = this.idle.pop() ?? (await new Promise<Worker>((resolve) => this.waiting.push(resolve)));
    try {
      return await answer(worker, task);
    } finally {
      const next = this.waiting.shift();
      if (next) next(worker);
      else this.idle.push(worker);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

function answer(worker: Worker, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const onMessage = (result: TaskResult): void => {
      worker.off('error', onError);
      resolve(result);
    };
    const onError = (error: Error): void => {
      worker.off('message', onMessage);
      reject(error);
    };
    worker.once('message', onMessage);
    worker.once('error', onError);
    worker.postMessage(task);
  });
}
