import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger } from '@app/shared/core';
import { type SpoolLoss, SpoolQueue } from './spool-queue.js';
import type { SpoolRecord } from './spool-record.js';

/** Older records are of no use any more: the evaluator forgets a lane after 25 h. */
const AGE_MS_MAX = 24 * 3_600_000;
const HOUSEKEEPING_MS = 60_000;
const SYNC_MS = 1000;

export interface SpoolOptions {
  /** The router's data directory; the spool is a directory in it. */
  readonly dataDir: string;
  readonly router: string;
  /** Exceeded by one batch at most. */
  readonly bytesMax: number;
  /** `second`: fsync every second; `never`: the page cache is enough (it survives the process, not the machine). */
  readonly fsync: 'second' | 'never';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLoss: (loss: SpoolLoss) => void;
  /** Records of an earlier process are lost. */
  readonly onRestoredLoss: (loss: SpoolLoss) => void;
}

/**
 * The end of the lanes' queues, on disk: one queue for each producer of this process, and those that earlier processes
 * left behind. One bound over all of them; what is oldest is dropped first.
 */
export class Spool {
  /** Left by earlier processes, in no particular order: their lanes are not ours. */
  readonly restored: readonly SpoolQueue[];
  private readonly own: SpoolQueue[] = [];
  private readonly root: string;
  private readonly timers: NodeJS.Timeout[] = [];

  /** Throws if the directory cannot be made or read. */
  constructor(private readonly options: SpoolOptions) {
    this.root = join(options.dataDir, 'spool');
    mkdirSync(this.root, { recursive: true });
    this.restored = this.findRestored();
    this.every(HOUSEKEEPING_MS, () => this.dropExpired());
    if (options.fsync === 'second') this.every(SYNC_MS, () => this.sync());
  }

  /** The queue of one producer of this process. */
  queue(producer: number): SpoolQueue {
    const dir = join(this.root, this.options.router, String(producer));
    return (this.own[producer] ??= new SpoolQueue(dir, this.options.onLoss));
  }

  /** Size on disk. */
  get bytes(): number {
    return this.queues().reduce((sum, queue) => sum + queue.bytes, 0);
  }

  /**
   * Appends records to a queue, dropping what is oldest while there is no room. False: the disk takes nothing at all,
   * and they are in no queue.
   */
  append(queue: SpoolQueue, records: readonly SpoolRecord[]): boolean {
    while (this.bytes >= this.options.bytesMax && this.dropOldest());
    for (;;) {
      try {
        queue.append(records, this.options.clock.nowMs());
        return true;
      } catch (error) {
        if (this.dropOldest()) continue;
        this.options.logger.error({ err: error }, 'the spool cannot be written: outcomes are lost until it can');
        return false;
      }
    }
  }

  /** Records older than 24 h are dropped; done every minute. */
  dropExpired(): void {
    const oldestMs = this.options.clock.nowMs() - AGE_MS_MAX;
    for (const queue of this.queues()) while (queue.oldestMs < oldestMs && queue.dropOldest());
  }

  /** Closes all files; removes what is empty. */
  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const queue of this.queues()) queue.close();
    for (const dir of directoriesIn(this.root)) if (readdirSync(dir).length === 0) rmSync(dir, { recursive: true });
  }

  private queues(): readonly SpoolQueue[] {
    return [...this.restored, ...this.own.filter(Boolean)];
  }

  private dropOldest(): boolean {
    let oldest: SpoolQueue | null = null;
    for (const queue of this.queues()) if (queue.oldestMs < (oldest?.oldestMs ?? Infinity)) oldest = queue;
    return oldest?.dropOldest() ?? false;
  }

  private findRestored(): readonly SpoolQueue[] {
    const queues: SpoolQueue[] = [];
    for (const router of directoriesIn(this.root)) {
      for (const dir of directoriesIn(router)) {
        const queue = new SpoolQueue(dir, this.options.onRestoredLoss);
        queue.adopt();
        queues.push(queue);
      }
    }
    return queues;
  }

  private sync(): void {
    const { logger } = this.options;
    const onError = (error: unknown): void => logger.warn({ err: error }, 'the spool could not be synced to disk');
    for (const queue of this.own) queue?.sync(onError);
  }

  private every(ms: number, what: () => void): void {
    const timer = setInterval(what, ms);
    timer.unref();
    this.timers.push(timer);
  }
}

function directoriesIn(dir: string): readonly string[] {
  const entries = readdirSync(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
}
