import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Guard } from '../../../deploy/local/guard.js';
import { type LocalStack, startLocalStack } from '../../../deploy/local/local-stack.js';
import { OTHERS_CORE, pin } from './cores.js';
import type { BenchmarkOptions } from './options.js';

/** A line for the person who waits; standard output is for figures. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** What the suites of a run share: a Kafka and a Redis, started when first asked for, and a place for files. */
export class BenchContext {
  /** Ends processes and removes folders when this process ends, however it does. */
  readonly guard = new Guard();
  readonly folder = mkdtempSync(join(tmpdir(), 'model-canary-bench-'));
  private started: Promise<LocalStack> | null = null;
  private readonly opened = new AsyncDisposableStack();

  constructor(readonly options: BenchmarkOptions) {
    this.guard.watch('folder', this.folder);
  }

  stack(): Promise<LocalStack> {
    return (this.started ??= this.startStack());
  }

  /** Called by close(), the latest first. */
  defer(undo: () => Promise<void> | void): void {
    this.opened.defer(undo);
  }

  async close(): Promise<void> {
    try {
      await this.opened.disposeAsync();
      await (await this.started)?.stop();
    } finally {
      await this.guard.end();
    }
  }

  private async startStack(): Promise<LocalStack> {
    const stack = await startLocalStack({ optimised: !this.options.short, log: say });
    for (const server of [stack.kafka, stack.redis]) if (server?.pid) pin(server.pid, OTHERS_CORE);
    return stack;
  }
}
