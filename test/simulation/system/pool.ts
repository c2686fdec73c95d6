import { Worker } from 'node:worker_threads';
import type { Task, TaskResult } from './worker.js';

/** Workers that run plans, one each at a time. */
export class Pool {
  private readonly idle: Worker[] = [];
  private readonly waiting: ((worker: Worker) => void)[] = [];
  private readonly workers = new Set<Worker>();

  constructor(
    size: number,
    private readonly worker: URL = new URL('./worker.js', import.meta.url),
  ) {
    for (let i = 0; i < size; i++) this.idle.push(this.start());
  }

  /** Rejects when the simulation itself is broken; a plan that fails is a result. */
  async run(task: Task): Promise<TaskResult> {
    let worker = this.idle.pop() ?? (await new Promise<Worker>((resolve) => this.waiting.push(resolve)));
    try {
      return await answer(worker, task);
    } catch (error) {
      // It ended with its error: the next task is for another one.
      this.workers.delete(worker);
      worker = this.start();
      throw error;
    } finally {
      const next = this.waiting.shift();
      if (next) next(worker);
      else this.idle.push(worker);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => worker.terminate()));
  }

  private start(): Worker {
    const worker = new Worker(this.worker, { execArgv: ['--enable-source-maps'] });
    this.workers.add(worker);
    return worker;
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
