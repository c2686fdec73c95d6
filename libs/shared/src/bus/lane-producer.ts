import type { Clock } from '../clock.js';
import { CanaryError } from '../errors.js';
import { Lane, lanePieces } from './lane.js';
import { type BusProducer, type OutRecord, type ProducerOptions, RecordsRefused } from './message-bus.js';

/** Takes one batch to the broker. The adapter's half of a producer. */
export interface Carrier {
  /** Throws CanaryError for records the broker could never take. */
  check?(record: OutRecord): void;
  /**
   * Resolves at the acknowledgement, however long it takes, to those records that the broker will never take; the same
   * records are never overtaken. Called for one topic at a time, for several topics at once. Rejects only after stop().
   */
  carry(records: readonly OutRecord[]): Promise<readonly OutRecord[]>;
  stop(): Promise<void>;
}

interface Waiting {
  readonly records: readonly OutRecord[];
  readonly done: PromiseWithResolvers<void>;
}

const ADMISSION_BYTES_MAX = 8 * 1024 * 1024;
const HEAD_AGE_MS_MAX = 1500;
const FLUSH_MS = 5000;

/**
 * Admission and order, the same for every adapter: a lane for each topic, in it one batch in flight, the next when it is
 * acknowledged, a bound on bytes and on the age of the head. A topic that takes nothing holds up no other.
 */
export class LaneProducer implements BusProducer {
  private readonly lanes = new Map<string, Lane>();
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly limits: { readonly bytesMax: number; readonly headAgeMsMax: number };
  private closing: Promise<readonly OutRecord[]> | null = null;

  constructor(
    private readonly carrier: Carrier,
    private readonly clock: Clock,
    options: ProducerOptions = {},
  ) {
    this.limits = {
      bytesMax: options.admissionBytesMax ?? ADMISSION_BYTES_MAX,
      headAgeMsMax: options.headAgeMsMax ?? HEAD_AGE_MS_MAX,
    };
  }

  offer(records: readonly OutRecord[]): Promise<void> | null {
    if (records.length === 0) return Promise.resolve();
    const parts = byTopic(records).map(([topic, ofTopic]) => {
      const pieces = lanePieces(ofTopic);
      return { topic, pieces, bytes: pieces.reduce((sum, piece) => sum + piece.bytes, 0) };
    });
    if (this.carrier.check) for (const record of records) this.carrier.check(record);
    if (this.closing || !parts.every(({ topic, bytes }) => this.lane(topic).admits(bytes))) return null;
    const offers = parts.map(({ topic, pieces }) => this.lane(topic).push(pieces));
    const done = offers.length === 1 ? offers[0]! : allOf(offers);
    // Whoever does not look at the acknowledgement must not crash the process when close() gives up.
    done.catch(() => undefined);
    return done;
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    if (this.closing) throw producerClosed();
    await allOf(byTopic(records).map(([topic, ofTopic]) => this.sendToTopic(topic, ofTopic)));
  }

  pendingBytes(): number {
    return [...this.lanes.values()].reduce((sum, lane) => sum + lane.bytes, 0);
  }

  close(options: { flushMs?: number } = {}): Promise<readonly OutRecord[]> {
    this.closing ??= this.finish(options.flushMs ?? FLUSH_MS);
    return this.closing;
  }

  private async sendToTopic(topic: string, records: readonly OutRecord[]): Promise<void> {
    const waiting = this.waiting.get(topic) ?? [];
    const admitted = waiting.length === 0 ? this.offer(records) : null;
    if (admitted) return admitted;
    const done = Promise.withResolvers<void>();
    waiting.push({ records, done });
    this.waiting.set(topic, waiting);
    return done.promise;
  }

  private lane(topic: string): Lane {
    let lane = this.lanes.get(topic);
    if (!lane) {
      lane = new Lane({
        ...this.limits,
        clock: this.clock,
        carry: (records) => this.carrier.carry(records),
        onRoom: () => this.admitWaiting(topic),
      });
      this.lanes.set(topic, lane);
    }
    return lane;
  }

  private admitWaiting(topic: string): void {
    const waiting = this.waiting.get(topic) ?? [];
    for (let next = waiting[0]; next && !this.closing; next = waiting[0]) {
      const admitted = this.offer(next.records);
      if (!admitted) return;
      waiting.shift();
      admitted.then(next.done.resolve, next.done.reject);
    }
  }

  private async finish(flushMs: number): Promise<readonly OutRecord[]> {
    for (const waiting of this.waiting.values())
      for (const { done } of waiting.splice(0)) done.reject(producerClosed());
    const lanes = [...this.lanes.values()];
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, flushMs)));
    await Promise.race([Promise.all(lanes.map((lane) => lane.drained())), late]);
    clearTimeout(timer);
    await this.carrier.stop();
    return lanes.flatMap((lane) => lane.giveUp(producerClosed()));
  }
}

function byTopic(records: readonly OutRecord[]): (readonly [string, readonly OutRecord[]])[] {
  const first = records[0];
  if (!first) return [];
  if (records.every(({ topic }) => topic === first.topic)) return [[first.topic, records]];
  const parts = new Map<string, OutRecord[]>();
  for (const record of records) {
    const part = parts.get(record.topic);
    if (part) part.push(record);
    else parts.set(record.topic, [record]);
  }
  return [...parts];
}

/** Resolves when all have; what was refused is told together. */
async function allOf(parts: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(parts);
  const reasons = settled.flatMap((s) => (s.status === 'rejected' ? [s.reason as Error] : []));
  const other = reasons.find((reason) => !(reason instanceof RecordsRefused));
  if (other) throw other;
  const refused = reasons.flatMap((reason) => (reason instanceof RecordsRefused ? reason.records : []));
  if (refused.length > 0) throw new RecordsRefused(refused);
}

const producerClosed = (): CanaryError =>
  new CanaryError('producer-closed', 'the producer was closed before these records were acknowledged');
