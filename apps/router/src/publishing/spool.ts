import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Logger } from '@app/shared/core';
import { spoolDisk, type SpoolDisk } from './spool-disk.js';
import { type LostByTally, type SpoolDamage, SpoolQueue } from './spool-queue.js';
import type { SpoolRecord } from './spool-record.js';
import type { SpoolFsync } from './spool-writer.js';

/** Older records are of no use any more: the evaluator forgets a lane after 25 h. */
const AGE_MS_MAX = 24 * 3_600_000;
const HOUSEKEEPING_MS = 60_000;
const SYNC_MS = 1000;

export interface SpoolOptions {
  /** The router's data directory; the spool is a directory in it. */
  readonly dataDir: string;
  readonly router: string;
  /** Exceeded by what waits to be written at most. */
  readonly bytesMax: number;
  readonly fsync: SpoolFsync;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the real one. */
  readonly disk?: SpoolDisk;
  /** Own records that were on disk are lost. */
  readonly onLoss: (lost: LostByTally) => void;
  /** Those of them that could still be read. */
  readonly onLostRecords: (records: readonly SpoolRecord[]) => void;
  /** Records of an earlier process are lost. */
  readonly onRestoredLost: (records: readonly SpoolRecord[]) => void;
}

/** What a queue of this process tells its producer's owner. */
export interface QueueListener {
  readonly onWritten: (records: readonly SpoolRecord[]) => void;
  readonly onRefused: (records: readonly SpoolRecord[]) => void;
  readonly onReadable: () => void;
}

/**
 * The end of the lanes' queues, on disk: one queue for each producer of this process, and those that earlier processes
 * left behind. One bound over all of them; what is oldest is dropped first.
 */
export class Spool {
  /** Left by earlier processes, in no particular order: their lanes are not ours. */
  readonly restored: readonly SpoolQueue[];
  /** Bytes and records that were found damaged. */
  readonly damaged = { bytes: 0, records: 0 };
  private readonly own: SpoolQueue[] = [];
  private readonly root: string;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly disk: SpoolDisk;
  private trouble = false;
  private full = false;
  private onRestoredReadable: () => void = () => undefined;

  /** Throws if the directory cannot be made or read. */
  constructor(private readonly options: SpoolOptions) {
    this.disk = options.disk ?? spoolDisk;
    this.root = join(options.dataDir, 'spool');
    mkdirSync(this.root, { recursive: true });
    this.restored = this.findRestored();
    this.every(HOUSEKEEPING_MS, () => this.keepHouse());
    if (options.fsync === 'second') this.every(SYNC_MS, () => this.sync());
  }

  /** Makes the queue of one producer of this process. */
  queue(producer: number, listener: QueueListener): SpoolQueue {
    const queue = this.queueIn(join(this.root, this.options.router, String(producer)), {
      ...listener,
      onWritten: (records) => {
        listener.onWritten(records);
        this.keepBound();
      },
      onLoss: this.options.onLoss,
      onLostRecords: this.options.onLostRecords,
    });
    this.own.push(queue);
    return queue;
  }

  /** Told whenever there is something to read of earlier processes' records. */
  set restoredListener(listener: () => void) {
    this.onRestoredReadable = listener;
  }

  /** Size on disk. */
  get bytes(): number {
    return this.queues().reduce((sum, queue) => sum + queue.bytes, 0);
  }

  /** The disk takes what it is given. */
  get isWritable(): boolean {
    return !this.trouble;
  }

  /** Closes all files; removes what is empty. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await Promise.all(this.queues().map((queue) => queue.close()));
    for (const dir of directoriesIn(this.root)) if (readdirSync(dir).length === 0) rmSync(dir, { recursive: true });
  }

  /** Records older than 24 h are dropped; done every minute. */
  keepHouse(): void {
    this.full = false;
    const oldestMs = this.options.clock.nowMs() - AGE_MS_MAX;
    for (const queue of this.queues()) while (queue.oldestMs < oldestMs && queue.dropOldest());
  }

  private queueIn(
    dir: string,
    listener: QueueListener & {
      readonly onLoss: (lost: LostByTally) => void;
      readonly onLostRecords: (records: readonly SpoolRecord[]) => void;
    },
  ): SpoolQueue {
    const { fsync, clock } = this.options;
    return new SpoolQueue({
      dir,
      disk: this.disk,
      fsync,
      nowMs: () => clock.nowMs(),
      makeRoom: () => this.makeRoom(),
      onTrouble: (error) => this.sayTrouble(error),
      onDamage: (damage) => this.sayDamage(damage),
      ...listener,
    });
  }

  private queues(): readonly SpoolQueue[] {
    return [...this.restored, ...this.own];
  }

  /** Drops what is oldest while there is more than there may be. */
  private keepBound(): void {
    while (this.bytes >= this.options.bytesMax && this.dropOldest()) this.sayFull();
  }

  private async makeRoom(): Promise<boolean> {
    const dropped = this.dropOldest();
    if (!dropped) return false;
    this.sayFull();
    await dropped;
    return true;
  }

  private dropOldest(): Promise<void> | null {
    let oldest: SpoolQueue | null = null;
    for (const queue of this.queues()) if (queue.oldestMs < (oldest?.oldestMs ?? Infinity)) oldest = queue;
    return oldest?.dropOldest() ?? null;
  }

  private findRestored(): readonly SpoolQueue[] {
    const queues: SpoolQueue[] = [];
    for (const router of directoriesIn(this.root)) {
      for (const dir of directoriesIn(router)) {
        const queue = this.queueIn(dir, {
          onWritten: () => undefined,
          onRefused: () => undefined,
          onReadable: () => this.onRestoredReadable(),
          onLoss: () => undefined,
          onLostRecords: this.options.onRestoredLost,
        });
        queue.adopt();
        queues.push(queue);
      }
    }
    return queues;
  }

  private sync(): void {
    for (const queue of this.own) queue.sync().catch((error: Error) => this.sayTrouble(error));
  }

  private sayTrouble(error: Error | null): void {
    const { logger } = this.options;
    if (error && !this.trouble)
      logger.error(
        { err: error },
        'the spool cannot be written: outcomes that Kafka does not take are lost until it can',
      );
    if (!error && this.trouble) logger.info('the spool can be written again');
    this.trouble = error !== null;
  }

  private sayDamage(damage: SpoolDamage): void {
    this.damaged.bytes += damage.bytes;
    this.damaged.records += damage.records;
    this.options.logger.warn({ ...damage }, 'a file of the spool is damaged; what can be read of it is used');
  }

  /** Once a minute at most. */
  private sayFull(): void {
    if (this.full) return;
    this.full = true;
    this.options.logger.warn({ bytes: this.bytes }, 'the spool is full: the oldest outcomes are dropped');
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
