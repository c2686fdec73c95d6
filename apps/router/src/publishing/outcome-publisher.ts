import type { Clock, Logger, MessageBus } from '@app/shared/core';
import { LaneSender, type Outgoing } from './lane-sender.js';
import { Spool } from './spool.js';
import type { SpoolLoss } from './spool-queue.js';
import { RestoredTally, Tally } from './tally.js';

/** Of what a producer holds in memory at most; beyond that it refuses, and records are spooled. */
const ADMISSION_BYTES_MAX = 4 * 1024 * 1024;
/** Tallies beyond that are counted together; the spool's records have 16 bits for the number. */
const TALLIES_MAX = 0xfffe;

export interface OutcomePublisherOptions {
  readonly bus: MessageBus;
  readonly topic: string;
  /** Of the topic, read once at the start. */
  readonly partitions: number;
  /** Lanes share this many producers. */
  readonly producers: number;
  readonly flushMs: number;
  readonly router: string;
  readonly dataDir: string;
  readonly spoolBytesMax: number;
  readonly spoolFsync: 'second' | 'never';
  readonly replayPerSecond: number;
  readonly clock: Clock;
  readonly logger: Logger;
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
  private timer: NodeJS.Timeout | null = null;
  private onDrop: DropListener = () => undefined;
  private closed = false;

  constructor(private readonly options: OutcomePublisherOptions) {
    const { bus, topic, partitions, router, dataDir, clock, logger } = options;
    this.sequences = new Array<number>(partitions).fill(0);
    this.spool = new Spool({
      dataDir,
      router,
      bytesMax: options.spoolBytesMax,
      fsync: options.spoolFsync,
      clock,
      logger,
      onLoss: (loss) => this.countLoss(loss),
      onRestoredLoss: ({ records }) => {
        const outcomes = records.filter((r) => r.tally !== null).length;
        this.restored.found += outcomes;
        this.restored.dropped += outcomes;
      },
    });
    const count = Math.min(options.producers, partitions);
    this.senders = Array.from({ length: count }, (_, i) => {
      const onError = (err: unknown): void => logger.warn({ err, producer: i }, 'outcomes are not getting through');
      return new LaneSender({
        topic,
        producer: bus.producer({ admissionBytesMax: ADMISSION_BYTES_MAX, onError }),
        spool: this.spool,
        queue: this.spool.queue(i),
        restored: this.spool.restored.filter((_queue, j) => j % count === i),
        tallies: this.allTallies,
        restoredTally: this.restored,
        replayPerSecond: options.replayPerSecond,
        logger,
        onLost: (r) => this.reportDrop(r.tally, r.bucket, r.arm),
      });
    });
    this.arm();
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

  get spooledBytes(): number {
    return this.spool.bytes;
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
  publish(record: Outgoing): void {
    if (record.tally) record.tally.sent++;
    const sender = this.senders[record.partition % this.senders.length]!;
    if (sender.add(record)) sender.flush();
    this.arm();
  }

  /** Sends what is collected, waits at most `flushMs` for acknowledgements, and leaves the rest in the spool. */
  async close(flushMs: number): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    if (this.timer) clearTimeout(this.timer);
    const { clock } = this.options;
    for (const sender of this.senders) {
      sender.flush();
      sender.replay(clock.monotonicMs());
    }
    await Promise.all(this.senders.map((sender) => sender.close(flushMs, clock.nowMs())));
    this.spool.close();
  }

  private arm(): void {
    if (this.timer || this.closed || !this.senders.some((sender) => sender.isBusy)) return;
    this.timer = setTimeout(() => this.tick(), this.options.flushMs);
  }

  private tick(): void {
    this.timer = null;
    const nowMs = this.options.clock.monotonicMs();
    for (const sender of this.senders) {
      sender.flush();
      sender.replay(nowMs);
    }
    this.arm();
  }

  private countLoss({ records, byTally }: SpoolLoss): void {
    for (const [number, count] of byTally) {
      const tally = number === null ? undefined : this.allTallies[number];
      if (!tally) continue;
      tally.spooled -= count;
      tally.dropped += count;
    }
    for (const r of records) this.reportDrop(r.tally, r.bucket, r.arm);
  }

  private reportDrop(number: number | null, bucket: number | null, arm: number): void {
    const tally = number === null ? undefined : this.allTallies[number];
    if (tally && bucket !== null) this.onDrop(bucket, arm, tally);
  }
}
