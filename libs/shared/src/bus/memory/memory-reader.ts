import type { BusBatch, TopicPartition } from '../message-bus.js';
import type { MemoryBroker } from './memory-broker.js';
import type { MemoryLog } from './memory-log.js';

export interface MemoryReaderOptions {
  readonly broker: MemoryBroker;
  readonly tp: TopicPartition;
  readonly start: number;
  readonly bytesMax: number;
  /** Returns the next position; undefined: the end of the batch. Throwing brings the batch again. */
  readonly handle: (batch: BusBatch) => Promise<number | undefined>;
  /** After each batch that was handled, with the new position. */
  readonly onMoved: (position: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Pause before a batch whose handler failed comes again. */
const REDELIVERY_PAUSE_MS = 100;

/** Reads one partition: one batch at a time, woken by appends; idle it costs nothing. */
export class MemoryReader {
  private readonly log: MemoryLog;
  private readonly unsubscribe: () => void;
  private pause: NodeJS.Timeout | undefined;
  private scheduled = false;
  private stopped = false;
  private inFlight: Promise<void> | null = null;
  position: number;

  constructor(private readonly options: MemoryReaderOptions) {
    this.log = options.broker.logs(options.tp.topic)[options.tp.partition]!;
    this.position = options.start;
    const unsubscribes = [this.log.onAppend(() => this.wake()), options.broker.onAvailability(() => this.wake())];
    this.unsubscribe = () => unsubscribes.forEach((unsubscribe) => unsubscribe());
    this.wake();
  }

  /** No new batch from here on. Resolves when the handler in flight has ended; its result is ignored. */
  stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    clearTimeout(this.pause);
    return this.inFlight ?? Promise.resolve();
  }

  private wake(): void {
    if (this.scheduled || this.stopped || this.inFlight || this.pause) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (this.stopped || this.inFlight || !this.options.broker.available) return;
      // Retention may have overtaken the reader.
      this.position = Math.max(this.position, this.log.low);
      if (this.position >= this.log.end) return;
      this.inFlight = this.deliver().finally(() => {
        this.inFlight = null;
        this.wake();
      });
    });
  }

  private async deliver(): Promise<void> {
    const { tp, handle, onMoved, onError, bytesMax } = this.options;
    try {
      const slice = this.log.read(this.position, bytesMax);
      const next = await handle({ ...tp, ...slice, fetchedOffset: this.position });
      if (this.stopped) return;
      this.position = next ?? slice.nextOffset;
      onMoved(this.position);
    } catch (error) {
      onError(error);
      if (this.stopped) return;
      this.pause = setTimeout(() => {
        this.pause = undefined;
        this.wake();
      }, REDELIVERY_PAUSE_MS);
    }
  }
}
