import type { BusBatch, TopicPartition } from '../message-bus.js';
import type { MemoryBroker } from './memory-broker.js';
import type { MemoryLink } from './memory-link.js';
import type { MemoryLog } from './memory-log.js';

export interface MemoryReaderOptions {
  readonly broker: MemoryBroker;
  readonly link: MemoryLink;
  readonly tp: TopicPartition;
  readonly start: number;
  readonly bytesMax: number;
  readonly committed: boolean;
  /** Returns the next position; undefined: the end of the batch. Throwing brings the batch again. */
  readonly handle: (batch: BusBatch) => Promise<number | undefined>;
  /** After each batch that was handled, with the new position; the next batch waits for it. */
  readonly onMoved: (position: number) => Promise<void> | void;
  readonly onError: (error: unknown) => void;
}

/** Pause before a batch whose handler failed comes again. */
const REDELIVERY_PAUSE_MS = 100;

/** Reads one partition: one batch at a time, woken by appends; idle it costs nothing. */
export class MemoryReader {
  private readonly log: MemoryLog;
  private readonly unsubscribe: () => void;
  private readonly what: string;
  private pause: NodeJS.Timeout | undefined;
  private scheduled = false;
  private stopped = false;
  private inFlight: Promise<void> | null = null;
  position: number;

  constructor(private readonly options: MemoryReaderOptions) {
    const { broker, tp, link } = options;
    this.log = broker.logs(tp.topic)[tp.partition]!;
    this.what = `fetch ${tp.topic}/${tp.partition}`;
    this.position = options.start;
    const unsubscribes = [this.log.onAppend(() => this.wake()), link.onChange(() => this.wake())];
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
    this.options.link.deliver(this.what, () => {
      this.scheduled = false;
      if (this.stopped || this.inFlight || !this.options.link.up) return;
      // Retention may have overtaken the reader.
      this.position = Math.max(this.position, this.log.low);
      if (this.position >= (this.options.committed ? this.log.stableEnd : this.log.end)) return;
      this.inFlight = this.deliver().finally(() => {
        this.inFlight = null;
        this.wake();
      });
    });
  }

  private async deliver(): Promise<void> {
    const { tp, handle, onMoved, onError, bytesMax, committed } = this.options;
    try {
      const slice = this.log.read({ from: this.position, bytesMax, committed });
      const next = await handle({ ...tp, ...slice, fetchedOffset: this.position });
      if (this.stopped) return;
      this.position = next ?? slice.nextOffset;
      await onMoved(this.position);
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
