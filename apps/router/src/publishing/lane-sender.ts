import { type BusProducer, type Logger, type OutRecord, RecordsRefused } from '@app/shared/core';
import type { Spool } from './spool.js';
import type { SpoolQueue } from './spool-queue.js';
import { SentRecord, type SpoolRecord } from './spool-record.js';
import type { SpoolChunk } from './spool-segment.js';
import type { JournalEntry } from './spool-writer.js';
import type { RestoredTally, Tally } from './tally.js';

/** Collected beyond that, records are sent at once: the collector is bounded without losing anything. */
export const COLLECTED_MAX = 1000;
/** How often a producer that refuses is asked again. */
const RETRY_MS = 50;
/** How often spooled records are sent on. */
const REPLAY_MS = 10;

export interface LaneSenderOptions {
  readonly topic: string;
  readonly producer: BusProducer;
  readonly spool: Spool;
  /** Number of its queue in the spool. */
  readonly number: number;
  /** Queues of earlier processes that this sender sends on. */
  readonly restored: readonly SpoolQueue[];
  readonly tallies: readonly Tally[];
  readonly restoredTally: RestoredTally;
  /** Spooled records sent on in a second, at most. */
  readonly replayPerSecond: number;
  /** What is not acknowledged after this time is written to disk as well. */
  readonly journalAfterMs: number;
  readonly logger: Logger;
  /** Outcomes that are lost because neither Kafka nor the disk takes them. */
  readonly onLost: (record: SpoolRecord) => void;
  /** There is something to send on. */
  readonly onReadable: () => void;
}

type Refused = ReadonlySet<SpoolRecord>;
const NONE: Refused = new Set();

/** Admitted without having been spooled, and not acknowledged. */
interface Direct {
  readonly records: readonly SpoolRecord[];
  readonly admittedAtMs: number;
  journaled: JournalEntry | null;
}

/**
 * The lanes that share one producer: collector -> producer, or -> spool once the producer has refused anything, until
 * the spool is empty again. So the records of a lane are sent in the order of their sequences whatever happens. What the
 * producer has for too long is written to the spool's files, too: it would be gone with this process.
 */
export class LaneSender {
  private readonly queue: SpoolQueue;
  private collected: SpoolRecord[] = [];
  /** Oldest first. */
  private readonly direct: Direct[] = [];
  /** Taken from the spool and not acknowledged. */
  private replaying = 0;
  private retryAtMs = 0;
  private replayAllowance = 0;
  private replayedAtMs = 0;

  constructor(private readonly options: LaneSenderOptions) {
    this.queue = options.spool.queue(options.number, {
      onWritten: (records) => this.countEach(records, (tally) => tally.spooled++),
      onRefused: (records) => this.lost(records),
      onReadable: options.onReadable,
    });
  }

  /** Takes a record. True: enough are collected, flush now. */
  add(record: SpoolRecord): boolean {
    return this.collected.push(record) >= COLLECTED_MAX;
  }

  /** When replay() and keep() have something to do next; Infinity: nothing. */
  nextLookAtMs(nowMs: number): number {
    if (this.hasSpooled) return Math.max(nowMs + REPLAY_MS, this.retryAtMs);
    const unwritten = this.direct.find(({ journaled }) => journaled === null);
    return unwritten ? unwritten.admittedAtMs + this.options.journalAfterMs : Infinity;
  }

  /** What is taken now goes to the spool, not to the producer. */
  get isSpooling(): boolean {
    return !this.queue.isEmpty;
  }

  /** Neither collected nor admitted nor spooled. */
  get isIdle(): boolean {
    return this.collected.length === 0 && !this.hasSpooled && this.direct.length === 0 && this.replaying === 0;
  }

  /** Sends what was collected: to the producer or, if that is not possible, to the spool. */
  flush(nowMs: number): void {
    const records = this.collected;
    if (records.length === 0) return;
    this.collected = [];
    if (this.isSpooling || !this.offerDirectly(records, nowMs)) this.spool(records);
  }

  /** Writes down what the producer has had for too long. */
  keep(nowMs: number): void {
    const head = this.direct[0];
    if (head && nowMs - head.admittedAtMs >= this.options.journalAfterMs) this.journal();
  }

  /** Sends on what was spooled, as far as the producer and the rate allow. */
  replay(nowMs: number): void {
    if (nowMs < this.retryAtMs) return;
    const { restored, replayPerSecond } = this.options;
    const earned = ((nowMs - this.replayedAtMs) / 1000) * replayPerSecond;
    this.replayAllowance = Math.min(this.replayAllowance + earned, replayPerSecond / 10);
    this.replayedAtMs = nowMs;
    for (const source of [this.queue, ...restored]) {
      while (this.replayAllowance > 0) {
        const chunk = source.peek();
        if (!chunk) break;
        if (!this.offerChunk(source, chunk)) {
          this.retryAtMs = nowMs + RETRY_MS;
          return;
        }
        this.replayAllowance -= chunk.records.length;
      }
    }
  }

  /** Closes the producer; what it could not get acknowledged within the time is left in the spool. */
  async close(flushMs: number): Promise<void> {
    await this.options.producer.close({ flushMs });
    // The acknowledgements of the last batches are promises: let them be counted.
    await Promise.resolve();
    await this.queue.written();
    for (const { records, journaled } of this.direct.splice(0))
      if (journaled?.state !== 'written' && !this.queue.append(records)) this.lost(records);
    await this.queue.written();
  }

  private get hasSpooled(): boolean {
    return !this.queue.isEmpty || this.options.restored.some((queue) => !queue.isEmpty);
  }

  private offerDirectly(records: readonly SpoolRecord[], nowMs: number): boolean {
    const acknowledged = this.offer(records);
    if (!acknowledged) return false;
    const direct: Direct = { records, admittedAtMs: nowMs, journaled: null };
    this.direct.push(direct);
    acknowledged.then(
      (refused) => this.settleDirect(direct, refused),
      () => undefined, // close() gave up; it takes what is still in `direct`
    );
    return true;
  }

  private settleDirect(direct: Direct, refused: Refused): void {
    this.direct.splice(this.direct.indexOf(direct), 1);
    const { records, journaled } = direct;
    const wasSpooled = journaled?.state === 'written';
    if (journaled) this.queue.settle(journaled);
    if (wasSpooled) this.countEach(records, (tally) => tally.spooled--);
    this.countSettled(records, refused);
  }

  /** Everything the producer has and that is not on disk yet: it comes before all that is spooled later. */
  private journal(): void {
    for (const direct of this.direct) direct.journaled ??= this.queue.journal(direct.records);
  }

  private offerChunk(source: SpoolQueue, chunk: SpoolChunk): boolean {
    const acknowledged = this.offer(chunk.records);
    if (!acknowledged) return false;
    source.take();
    this.replaying++;
    if (source !== this.queue) this.options.restoredTally.found += countOutcomes(chunk.records);
    acknowledged.then(
      (refused) => this.settleChunk(source, chunk, refused),
      () => undefined, // close() gave up; the file is still there
    );
    return true;
  }

  private settleChunk(source: SpoolQueue, chunk: SpoolChunk, refused: Refused): void {
    this.replaying--;
    source.acknowledge(chunk);
    if (source === this.queue) {
      this.countEach(chunk.records, (tally) => tally.spooled--);
      this.countSettled(chunk.records, refused);
      return;
    }
    const { restoredTally } = this.options;
    const dropped = countOutcomes([...refused]);
    restoredTally.dropped += dropped;
    restoredTally.acknowledged += countOutcomes(chunk.records) - dropped;
  }

  /**
   * null: not admitted. Resolves at the acknowledgement, to those that the broker will never take, whoever sends them;
   * rejects if close() gave up.
   */
  private offer(records: readonly SpoolRecord[]): Promise<Refused> | null {
    const { topic, producer, logger } = this.options;
    const out: readonly OutRecord[] = records.map((record) => new SentRecord(topic, record));
    const acknowledged = producer.offer(out);
    return (
      acknowledged?.then(
        () => NONE,
        (error: unknown) => {
          if (!(error instanceof RecordsRefused)) throw error;
          logger.error({ err: error, records: error.records.length }, 'outcome records can never be sent: dropped');
          return new Set(error.records.map((refused) => records[out.indexOf(refused)]!));
        },
      ) ?? null
    );
  }

  private spool(records: readonly SpoolRecord[]): void {
    this.journal();
    if (!this.queue.append(records)) this.lost(records);
  }

  private countSettled(records: readonly SpoolRecord[], refused: Refused): void {
    if (refused.size === 0) this.countEach(records, (tally) => tally.acknowledged++);
    else {
      this.countEach(
        records.filter((record) => !refused.has(record)),
        (tally) => tally.acknowledged++,
      );
      this.lost([...refused]);
    }
  }

  private lost(records: readonly SpoolRecord[]): void {
    this.countEach(records, (tally) => tally.dropped++);
    for (const record of records) this.options.onLost(record);
  }

  private countEach(records: readonly SpoolRecord[], change: (tally: Tally) => void): void {
    for (const { tally: number } of records) {
      const tally = number === null ? undefined : this.options.tallies[number];
      if (tally) change(tally);
    }
  }
}

function countOutcomes(records: readonly SpoolRecord[]): number {
  return records.reduce((n, r) => n + (r.tally === null ? 0 : 1), 0);
}
