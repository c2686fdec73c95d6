import type { Clock, Logger, MessageBus } from '@app/shared/core';
import { FlushSchedule } from './flush-schedule.js';
import { LaneSender } from './lane-sender.js';
import { Spool } from './spool.js';
import type { SpoolDisk } from './spool-disk.js';
import type { LostByTally } from './spool-queue.js';
import { PendingRecord, type SpoolRecord } from './spool-record.js';
import type { SpoolFsync } from './spool-writer.js';
import { RestoredTally, Tally } from './tally.js';

/** Of what a producer holds in memory at most; beyond that it refuses, and records are spooled. */
const ADMISSION_BYTES_MAX = 4 * 1024 * 1024;
/** Tallies beyond that are counted together; the spool's records have 16 bits for the number. */
const TALLIES_MAX = 0xfffe;
/** Longer records go nowhere: neither the spool nor a broker has to take them. */
const TEXT_BYTES_MAX = 400_000;
/** Worth a flush of their own: 10 ms of 5,000 outcomes a second. */
const FLUSH_RECORDS = 50;

/** A record on its way. */
export interface Outgoing {
  readonly partition: number;
  readonly key: string;
  readonly text: string;
  /** null: a bucket record. */
  readonly tally: Tally | null;
  readonly bucket: number | null;
  readonly arm: number;
}

export interface OutcomePublisherOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  /** Of the topic, read once at the start. */
  readonly partitions: number;
  /** Lanes share this many producers. */
  readonly producers: number;
  /** Between flushes at high rates ... */
  readonly flushMs: number;
  /** ... and at low ones. */
  readonly flushMsMax: number;
  readonly router: string;
  readonly dataDir: string;
  readonly spoolBytesMax: number;
  readonly spoolFsync: SpoolFsync;
  /** What Kafka has not acknowledged after this time is written to disk, too. */
  readonly journalAfterMs: number;
  readonly replayPerSecond: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the real one. */
  readonly disk?: SpoolDisk;
}

/** An outcome of a bucket was lost. */
export type DropListener = (bucket: number, arm: number, tally: Tally) => void;

/**
 * Gets the records of all lanes to Kafka in order, or to disk, or counts them as dropped. publish() only collects:
 * nothing that calls it waits for anything.
 */
export class OutcomePublisher {
  readonly restored = new RestoredTally();
  private readonly allTallies: Tally[] = [];
  private readonly tallyByName = new Map<string, Tally>();
  private readonly sequences: number[];
  private readonly spool: Spool;
  private readonly senders: readonly LaneSender[];
  private readonly schedule: FlushSchedule;
  private timer: NodeJS.Timeout | null = null;
  private onDrop: DropListener = () => undefined;
  private closed = false;

  constructor(private readonly options: OutcomePublisherOptions) {
    const { partitions, flushMs, flushMsMax, spoolFsync, spoolBytesMax } = options;
    this.sequences = new Array<number>(partitions).fill(0);
    this.schedule = new FlushSchedule({
      everyMsMin: flushMs,
      everyMsMax: Math.max(flushMs, flushMsMax),
      records: FLUSH_RECORDS,
    });
    const { dataDir, router, clock, logger, disk } = options;
    this.spool = new Spool({
      ...{ dataDir, router, clock, logger, disk },
      bytesMax: spoolBytesMax,
      fsync: spoolFsync,
      onLoss: (lost) => this.countLoss(lost),
      onLostRecords: (records) => this.reportDrops(records),
      onRestoredLost: (records) => {
        const outcomes = records.filter((r) => r.tally !== null).length;
        this.restored.found += outcomes;
        this.restored.dropped += outcomes;
      },
    });
    this.spool.restoredListener = () => this.wake();
    const count = Math.min(options.producers, partitions);
    this.senders = Array.from({ length: count }, (_, i) => this.sender(i, count));
    this.wake();
  }

  /** Whoever counts the losses of live buckets. */
  set dropListener(listener: DropListener) {
    this.onDrop = listener;
  }

  /** The account of a version's outcomes. */
  tally(model: string, version: string): Tally {
    const name = JSON.stringify([model, version]);
    let tally = this.tallyByName.get(name);
    if (!tally) {
      const full = this.allTallies.length >= TALLIES_MAX;
      tally = full ? this.allTallies.at(-1)! : new Tally(this.allTallies.length, model, version);
      if (!full) this.allTallies.push(tally);
      this.tallyByName.set(name, tally);
    }
    return tally;
  }

  get tallies(): readonly Tally[] {
    return this.allTallies;
  }

  /** What is on disk, and how it takes it. */
  get spooled(): Pick<Spool, 'bytes' | 'damaged' | 'isWritable'> {
    return this.spool;
  }

  /** Nothing is collected, admitted or spooled. */
  get isIdle(): boolean {
    return this.senders.every((sender) => sender.isIdle);
  }

  /** The next sequence of a lane; the record that bears it must be published at once. */
  nextSequence(partition: number): number {
    return this.sequences[partition]!++;
  }

  /** Takes a record. Records of one partition are sent in the order of these calls. */
  publish({ partition, key, text, tally, bucket, arm }: Outgoing): void {
    if (tally) tally.sent++;
    const record = new PendingRecord(partition, key, text, tally?.number ?? null, bucket, arm);
    if (text.length > TEXT_BYTES_MAX / 4 && Buffer.byteLength(text) > TEXT_BYTES_MAX) {
      this.options.logger.error({ bytes: text.length, key }, 'an outcome record is too long to be sent: dropped');
      if (tally) tally.dropped++;
      this.reportDrops([record]);
      return;
    }
    const nowMs = this.options.clock.monotonicMs();
    const sender = this.senders[partition % this.senders.length]!;
    if (sender.add(record)) sender.flush(nowMs);
    // Outcomes are of no use to their reader before the bucket record that counts them, and nobody reads a spool.
    const urgency = sender.isSpooling ? 'unhurried' : tally ? 'ordinary' : 'urgent';
    if (this.schedule.add(nowMs, urgency)) this.arm(nowMs);
  }

  /** Sends what is collected, waits at most `flushMs` for acknowledgements, and leaves the rest in the spool. */
  async close(flushMs: number): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    const nowMs = this.options.clock.monotonicMs();
    for (const sender of this.senders) {
      sender.flush(nowMs);
      sender.replay(nowMs);
    }
    await Promise.all(this.senders.map((sender) => sender.close(flushMs)));
    await this.spool.close();
  }

  private sender(number: number, count: number): LaneSender {
    const { bus, topic, logger, replayPerSecond, journalAfterMs } = this.options;
    return new LaneSender({
      topic,
      producer: bus.producer({ admissionBytesMax: ADMISSION_BYTES_MAX }),
      spool: this.spool,
      number,
      restored: this.spool.restored.filter((_queue, i) => i % count === number),
      tallies: this.allTallies,
      restoredTally: this.restored,
      replayPerSecond,
      journalAfterMs,
      logger,
      onLost: (record) => this.reportDrops([record]),
      onReadable: () => this.wake(),
    });
  }

  /** Looks again soon: there is something to send on. */
  private wake(): void {
    if (!this.timer) this.arm(this.options.clock.monotonicMs());
  }

  private arm(nowMs: number): void {
    if (this.closed) return;
    if (this.timer) clearTimeout(this.timer);
    const { dueAtMs } = this.schedule;
    const atMs = Math.min(dueAtMs, ...this.senders.map((sender) => sender.nextLookAtMs(nowMs)));
    const flushes = atMs === dueAtMs;
    this.timer = atMs === Infinity ? null : setTimeout(() => this.tick(flushes), Math.max(0, Math.ceil(atMs - nowMs)));
  }

  private tick(flushes: boolean): void {
    this.timer = null;
    const nowMs = this.options.clock.monotonicMs();
    if (flushes) this.schedule.flushed(nowMs);
    for (const sender of this.senders) {
      if (flushes) sender.flush(nowMs);
      sender.keep(nowMs);
      sender.replay(nowMs);
    }
    this.arm(nowMs);
  }

  private countLoss(lost: LostByTally): void {
    for (const [number, count] of lost) {
      const tally = number === null ? undefined : this.allTallies[number];
      if (!tally) continue;
      tally.spooled -= count;
      tally.dropped += count;
    }
  }

  private reportDrops(records: readonly SpoolRecord[]): void {
    for (const { tally: number, bucket, arm } of records) {
      const tally = number === null ? undefined : this.allTallies[number];
      if (tally && bucket !== null) this.onDrop(bucket, arm, tally);
    }
  }
}
