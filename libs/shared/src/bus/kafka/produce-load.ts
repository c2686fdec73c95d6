import type { OutRecord } from '../message-bus.js';
import type { ProducerSession } from './producer-session.js';
import { encodeRecordBatch } from './record-batch.js';

/** What was handed in at once for one partition; it may be divided on its way. */
interface Delivery {
  left: number;
  readonly refused: OutRecord[];
  readonly done: PromiseWithResolvers<readonly OutRecord[]>;
  readonly onError: (error: unknown) => void;
  abandoned: boolean;
}

export interface Delivered {
  /** Resolves once a broker has them, to those that none will ever take; never rejects. */
  readonly done: Promise<readonly OutRecord[]>;
  /** Nobody wants to know any more: they are not tried again. */
  abandon(): void;
}

/** How it was written, to be written again so and not otherwise: by that brokers know what they have. */
interface Encoded {
  readonly session: ProducerSession;
  readonly sequence: number;
  readonly batch: Buffer;
}

/** The records of one batch of one partition, until a broker has them or will never take them. */
export class ProduceLoad {
  private encoded: Encoded | null = null;

  private constructor(
    readonly records: readonly OutRecord[],
    private readonly delivery: Delivery,
  ) {}

  /** `onError` is told what is in the way; it is tried again all the same. */
  static of(
    records: readonly OutRecord[],
    onError: (error: unknown) => void,
  ): { load: ProduceLoad; delivered: Delivered } {
    const done = Promise.withResolvers<readonly OutRecord[]>();
    const delivery: Delivery = { left: 1, refused: [], done, onError, abandoned: false };
    const delivered: Delivered = { done: done.promise, abandon: () => (delivery.abandoned = true) };
    return { load: new ProduceLoad(records, delivery), delivered };
  }

  get isAbandoned(): boolean {
    return this.delivery.abandoned;
  }

  failed(error: unknown): void {
    if (!this.delivery.abandoned) this.delivery.onError(error);
  }

  /** Its bytes, the same each time. `partition` names it within the session. */
  batch(session: ProducerSession, partition: string): Buffer {
    if (!this.encoded) {
      const sequence = session.number(partition, this.records.length);
      const batch = encodeRecordBatch(this.records, Date.now(), { ...session.identity, sequence });
      this.encoded = { session, sequence, batch };
    }
    return this.encoded.batch;
  }

  isOf(session: ProducerSession | null): boolean {
    return this.encoded?.session === session;
  }

  /** The broker and its session do not agree: it begins again, under the next one. */
  forgetSession(): void {
    this.encoded = null;
  }

  /** It was surely not written. Two halves in its place, each to be tried. */
  divide(partition: string): readonly ProduceLoad[] {
    this.freeNumbers(partition);
    const middle = Math.ceil(this.records.length / 2);
    this.delivery.left += 1;
    const halves = [this.records.slice(0, middle), this.records.slice(middle)];
    return halves.map((records) => new ProduceLoad(records, this.delivery));
  }

  written(): void {
    this.settle([]);
  }

  /** No broker will ever take it. */
  refuse(partition: string): void {
    this.freeNumbers(partition);
    this.settle(this.records);
  }

  private freeNumbers(partition: string): void {
    this.encoded?.session.rewind(partition, this.encoded.sequence);
  }

  private settle(refused: readonly OutRecord[]): void {
    const { delivery } = this;
    delivery.refused.push(...refused);
    delivery.left -= 1;
    if (delivery.left === 0) delivery.done.resolve(delivery.refused);
  }
}
