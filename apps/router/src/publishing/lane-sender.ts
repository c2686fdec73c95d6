import type { BusProducer, Logger, OutRecord } from '@app/shared/core';
import type { Spool } from './spool.js';
import type { SpoolQueue } from './spool-queue.js';
import type { SpoolRecord } from './spool-record.js';
import type { SpoolChunk } from './spool-segment.js';
import type { RestoredTally, Tally } from './tally.js';

/** A record on its way: what the spool would need, and as text until it is sent. */
export interface Outgoing {
  readonly partition: number;
  readonly key: string;
  readonly text: string;
  /** null: a bucket record. */
  readonly tally: Tally | null;
  readonly bucket: number | null;
  readonly arm: number;
}

/** Collected beyond that, records are sent at once: the collector is bounded without losing anything. */
export const COLLECTED_MAX = 1000;
/** How often a producer that refuses is asked again. */
const RETRY_MS = 50;

export interface LaneSenderOptions {
  readonly topic: string;
  readonly producer: BusProducer;
  readonly spool: Spool;
  readonly queue: SpoolQueue;
  /** Queues of earlier processes that this sender sends on. */
  readonly restored: readonly SpoolQueue[];
  readonly tallies: readonly Tally[];
  readonly restoredTally: RestoredTally;
  /** Spooled records sent on in a second, at most. */
  readonly replayPerSecond: number;
  readonly logger: Logger;
  /** Outcomes that are lost because the disk takes nothing. */
  readonly onLost: (record: SpoolRecord) => void;
}

/**
 * The lanes that share one producer: collector -> producer, or -> spool once the producer has refused anything, until
 * the spool is empty again. So the records of a lane are sent in the order of their sequences whatever happens.
 */
export class LaneSender {
  private collected: Outgoing[] = [];
  /** Batches admitted directly and not acknowledged, oldest first. */
  private readonly direct: (readonly SpoolRecord[])[] = [];
  /** Taken from the spool and not acknowledged. */
  private replaying = 0;
  private retryAtMs = 0;
  private replayAllowance = 0;
  private replayedAtMs = 0;

  constructor(private readonly options: LaneSenderOptions) {}

  /** Takes a record. True: enough are collected, flush now. */
  add(record: Outgoing): boolean {
    return this.collected.push(record) >= COLLECTED_MAX;
  }

  /** Whether tick() has anything to do. */
  get isBusy(): boolean {
    return this.collected.length > 0 || !this.options.queue.isEmpty || this.options.restored.some((q) => !q.isEmpty);
  }

  /** Neither collected nor admitted nor spooled. */
  get isIdle(): boolean {
    return !this.isBusy && this.direct.length === 0 && this.replaying === 0;
  }

  /** Sends what was collected: to the producer or, if that is not possible, to the spool. */
  flush(): void {
    if (this.collected.length === 0) return;
    const records = this.collected.map(toSpoolRecord);
    this.collected = [];
    if (!this.options.queue.isEmpty || !this.offerDirectly(records)) this.spool(records);
  }

  /** Sends on what was spooled, as far as the producer and the rate allow. */
  replay(nowMs: number): void {
    if (nowMs < this.retryAtMs) return;
    const { queue, restored, replayPerSecond } = this.options;
    const earned = ((nowMs - this.replayedAtMs) / 1000) * replayPerSecond;
    this.replayAllowance = Math.min(this.replayAllowance + earned, replayPerSecond / 10);
    this.replayedAtMs = nowMs;
    for (const source of [queue, ...restored]) {
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

  /** Closes the producer; what it could not get acknowledged within the time goes to the spool, before all that is there. */
  async close(flushMs: number, nowMs: number): Promise<void> {
    const { queue, producer } = this.options;
    await producer.close({ flushMs });
    // The acknowledgements of the last batches are promises: let them be counted.
    await Promise.resolve();
    const unclear = this.direct.splice(0).flat();
    if (unclear.length === 0) return;
    try {
      queue.prepend(unclear, nowMs);
      for (const r of unclear) this.tallyOf(r, (tally) => tally.spooled++);
    } catch {
      this.lost(unclear);
    }
  }

  private offerDirectly(records: readonly SpoolRecord[]): boolean {
    const acknowledged = this.offer(records);
    if (acknowledged === 'invalid') this.lost(records);
    if (acknowledged === 'invalid' || !acknowledged) return acknowledged !== null;
    this.direct.push(records);
    acknowledged.then(
      () => {
        this.direct.splice(this.direct.indexOf(records), 1);
        for (const r of records) this.tallyOf(r, (tally) => tally.acknowledged++);
      },
      () => undefined, // close() gave up; it takes what is still in `direct`
    );
    return true;
  }

  private offerChunk(source: SpoolQueue, chunk: SpoolChunk): boolean {
    const acknowledged = this.offer(chunk.records);
    if (!acknowledged) return false;
    source.take();
    this.replaying++;
    if (source !== this.options.queue) this.options.restoredTally.found += countOutcomes(chunk.records);
    if (acknowledged === 'invalid') this.settleChunk(source, chunk, 'dropped');
    else
      acknowledged.then(
        () => this.settleChunk(source, chunk, 'acknowledged'),
        () => undefined, // close() gave up; the file is still there
      );
    return true;
  }

  private settleChunk(source: SpoolQueue, chunk: SpoolChunk, as: 'acknowledged' | 'dropped'): void {
    this.replaying--;
    source.acknowledge(chunk);
    if (source !== this.options.queue) {
      this.options.restoredTally[as] += countOutcomes(chunk.records);
      return;
    }
    for (const r of chunk.records) {
      this.tallyOf(r, (tally) => {
        tally.spooled--;
        tally[as]++;
      });
    }
  }

  /** null: refused. 'invalid': the bus can never take them, which is an error of ours; they must not stop the rest. */
  private offer(records: readonly SpoolRecord[]): Promise<void> | 'invalid' | null {
    const { topic, producer, logger } = this.options;
    try {
      return producer.offer(records.map(({ partition, key, value }): OutRecord => ({ topic, partition, key, value })));
    } catch (error) {
      logger.error({ err: error, records: records.length }, 'these outcome records can never be sent');
      return 'invalid';
    }
  }

  private spool(records: readonly SpoolRecord[]): void {
    if (this.options.spool.append(this.options.queue, records)) {
      for (const r of records) this.tallyOf(r, (tally) => tally.spooled++);
    } else {
      this.lost(records);
    }
  }

  private lost(records: readonly SpoolRecord[]): void {
    for (const r of records) {
      this.tallyOf(r, (tally) => tally.dropped++);
      this.options.onLost(r);
    }
  }

  private tallyOf(record: SpoolRecord, change: (tally: Tally) => void): void {
    const tally = record.tally === null ? undefined : this.options.tallies[record.tally];
    if (tally) change(tally);
  }
}

function toSpoolRecord({ partition, key, text, tally, bucket, arm }: Outgoing): SpoolRecord {
  return { partition, key, value: Buffer.from(text), tally: tally?.number ?? null, bucket, arm };
}

function countOutcomes(records: readonly SpoolRecord[]): number {
  return records.reduce((n, r) => n + (r.tally === null ? 0 : 1), 0);
}
