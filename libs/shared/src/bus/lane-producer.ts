import type { Clock } from '../clock.js';
import { CanaryError } from '../errors.js';
import type { BusProducer, OutRecord, ProducerOptions } from './message-bus.js';
import { checkRecord, RECORD_BYTES_MAX, recordBytes } from './records.js';

/** Takes one batch to the broker. The adapter's half of a producer. */
export interface Carrier {
  /** Throws CanaryError for records the broker could never take. */
  check?(record: OutRecord): void;
  /** Resolves at the acknowledgement, however long it takes; the same records are never overtaken. Rejects only after stop(). */
  carry(records: readonly OutRecord[]): Promise<void>;
  stop(): Promise<void>;
}

interface Admitted {
  readonly records: readonly OutRecord[];
  readonly bytes: number;
  readonly admittedAtMs: number;
  /** On the last piece of what was offered at once. */
  readonly done: PromiseWithResolvers<void> | null;
}

interface Waiting {
  readonly records: readonly OutRecord[];
  readonly done: PromiseWithResolvers<void>;
}

/** One request carries at most this much; a broker refuses a batch above 1 MiB for ever. */
const BATCH_BYTES_MAX = RECORD_BYTES_MAX;
/** kafkajs copies the array of a partition's records for each of them. */
const BATCH_RECORDS_MAX = 2000;
const ADMISSION_BYTES_MAX = 8 * 1024 * 1024;
const HEAD_AGE_MS_MAX = 1500;
const FLUSH_MS = 5000;

/**
 * Admission and order, the same for every adapter: one batch in flight, the next when it is acknowledged, a bound on
 * bytes and on the age of the head. What is offered while a batch is in flight goes together with the next one.
 */
export class LaneProducer implements BusProducer {
  private readonly queue: Admitted[] = [];
  private readonly waiting: Waiting[] = [];
  private readonly admissionBytesMax: number;
  private readonly headAgeMsMax: number;
  private bytes = 0;
  private running = false;
  private closing: Promise<readonly OutRecord[]> | null = null;
  private readonly drained = Promise.withResolvers<void>();

  constructor(
    private readonly carrier: Carrier,
    private readonly clock: Clock,
    options: ProducerOptions = {},
  ) {
    this.admissionBytesMax = options.admissionBytesMax ?? ADMISSION_BYTES_MAX;
    this.headAgeMsMax = options.headAgeMsMax ?? HEAD_AGE_MS_MAX;
  }

  offer(records: readonly OutRecord[]): Promise<void> | null {
    if (records.length === 0) return Promise.resolve();
    const pieces = this.pieces(records);
    if (this.closing || !this.admits(pieces)) return null;
    this.queue.push(...pieces);
    for (const piece of pieces) this.bytes += piece.bytes;
    const done = pieces.at(-1)!.done!;
    // Whoever does not look at the acknowledgement must not crash the process when close() gives up.
    done.promise.catch(() => undefined);
    void this.run();
    return done.promise;
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    if (this.closing) throw producerClosed();
    const admitted = this.waiting.length === 0 ? this.offer(records) : null;
    if (admitted) return admitted;
    const done = Promise.withResolvers<void>();
    this.waiting.push({ records, done });
    return done.promise;
  }

  pendingBytes(): number {
    return this.bytes;
  }

  close(options: { flushMs?: number } = {}): Promise<readonly OutRecord[]> {
    this.closing ??= this.finish(options.flushMs ?? FLUSH_MS);
    return this.closing;
  }

  private admits(pieces: readonly Admitted[]): boolean {
    const head = this.queue[0];
    if (!head) return true;
    if (this.clock.monotonicMs() - head.admittedAtMs > this.headAgeMsMax) return false;
    return this.bytes + pieces.reduce((sum, p) => sum + p.bytes, 0) <= this.admissionBytesMax;
  }

  private pieces(records: readonly OutRecord[]): Admitted[] {
    const admittedAtMs = this.clock.monotonicMs();
    const pieces: Admitted[] = [];
    let piece: OutRecord[] = [];
    let bytes = 0;
    for (const record of records) {
      const size = recordBytes(record);
      checkRecord(record, size);
      this.carrier.check?.(record);
      if (piece.length > 0 && (bytes + size > BATCH_BYTES_MAX || piece.length === BATCH_RECORDS_MAX)) {
        pieces.push({ records: piece, bytes, admittedAtMs, done: null });
        piece = [];
        bytes = 0;
      }
      piece.push(record);
      bytes += size;
    }
    pieces.push({ records: piece, bytes, admittedAtMs, done: Promise.withResolvers<void>() });
    return pieces;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.queue.length > 0) {
      const batch = this.head();
      try {
        await this.carrier.carry(batch.flatMap((a) => a.records));
      } catch {
        // The carrier was stopped: close() answers for what is left.
        return;
      }
      this.queue.splice(0, batch.length);
      for (const admitted of batch) {
        this.bytes -= admitted.bytes;
        admitted.done?.resolve();
      }
      this.admitWaiting();
    }
    this.running = false;
    if (this.closing) this.drained.resolve();
  }

  /** What goes next: as much as fits in one request, at least one piece. */
  private head(): Admitted[] {
    let bytes = 0;
    let records = 0;
    const tooMany = this.queue.findIndex((admitted) => {
      bytes += admitted.bytes;
      records += admitted.records.length;
      return bytes > BATCH_BYTES_MAX || records > BATCH_RECORDS_MAX;
    });
    return this.queue.slice(0, tooMany === -1 ? this.queue.length : Math.max(1, tooMany));
  }

  private admitWaiting(): void {
    for (let next = this.waiting[0]; next; next = this.waiting[0]) {
      const admitted = this.offer(next.records);
      if (!admitted) return;
      this.waiting.shift();
      admitted.then(next.done.resolve, next.done.reject);
    }
  }

  private async finish(flushMs: number): Promise<readonly OutRecord[]> {
    for (const { done } of this.waiting.splice(0)) done.reject(producerClosed());
    if (this.queue.length > 0) {
      const timer = setTimeout(() => this.drained.resolve(), flushMs);
      await this.drained.promise;
      clearTimeout(timer);
    }
    await this.carrier.stop();
    const unclear = this.queue.splice(0);
    this.bytes = 0;
    for (const { done } of unclear) done?.reject(producerClosed());
    return unclear.flatMap((a) => a.records);
  }
}

const producerClosed = (): CanaryError =>
  new CanaryError('producer-closed', 'the producer was closed before these records were acknowledged');
