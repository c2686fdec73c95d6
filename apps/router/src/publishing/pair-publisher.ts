import { type BusProducer, type MessageBus, type OutRecord, type Pair, pairCodec } from '@app/shared/core';

/** Of what waits to be sent; beyond that pairs are dropped. */
const COLLECTED_MAX = 5_000;
const ADMISSION_BYTES_MAX = 1024 * 1024;

export interface PairPublisherOptions {
  readonly bus: MessageBus;
  /** That of the labels. */
  readonly topic: string;
  readonly flushMs: number;
}

/**
 * Gets pairs of answers to where their labels will come. A pair that cannot be sent at once is dropped and counted: it is
 * one comparison fewer, of no more weight than one that was never copied. publish() only collects.
 */
export class PairPublisher {
  sent = 0;
  acknowledged = 0;
  dropped = 0;
  private producer: BusProducer | null = null;
  private collected: OutRecord[] = [];
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(private readonly options: PairPublisherOptions) {}

  publish(pair: Pair): void {
    this.sent++;
    if (this.closed || this.collected.length >= COLLECTED_MAX) {
      this.dropped++;
      return;
    }
    // The key decides the partition, as it does for the label.
    this.collected.push({ topic: this.options.topic, key: pair.predictionId, value: pairCodec.encode(pair) });
    this.timer ??= setTimeout(() => this.flush(), this.options.flushMs);
  }

  /** Sends what is collected and waits for it at most `flushMs`. */
  async close(flushMs: number): Promise<void> {
    this.flush();
    this.closed = true;
    await this.producer?.close({ flushMs });
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    const records = this.collected;
    if (records.length === 0) return;
    this.collected = [];
    this.producer ??= this.options.bus.producer({ admissionBytesMax: ADMISSION_BYTES_MAX });
    const written = this.producer.offer(records);
    if (!written) {
      this.dropped += records.length;
      return;
    }
    written.then(
      () => (this.acknowledged += records.length),
      () => (this.dropped += records.length),
    );
  }
}
