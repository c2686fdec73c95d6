import type { Clock } from '../clock.js';
import { type OutRecord, RecordsRefused } from './message-bus.js';
import { checkRecord, RECORD_BYTES_MAX, recordBytes } from './records.js';

export interface LaneParts {
  /** Of what is admitted and not acknowledged. */
  readonly bytesMax: number;
  readonly headAgeMsMax: number;
  readonly clock: Clock;
  /** Resolves at the acknowledgement to what was refused; rejects only when nothing is carried any more. */
  readonly carry: (records: readonly OutRecord[]) => Promise<readonly OutRecord[]>;
  /** Something was acknowledged. */
  readonly onRoom: () => void;
}

/** What was offered at once; it may go in several pieces. */
interface Offer {
  readonly done: PromiseWithResolvers<void>;
  readonly refused: OutRecord[];
  left: number;
}

/** Records that go together in one request. */
export interface LanePiece {
  readonly records: OutRecord[];
  bytes: number;
}

interface Piece extends Readonly<LanePiece> {
  readonly admittedAtMs: number;
  readonly offer: Offer;
}

/** One request carries at most this much; a broker refuses a batch above 1 MiB for ever. */
const BATCH_BYTES_MAX = RECORD_BYTES_MAX;

/** The records of one topic on their way: one batch in flight, what is offered meanwhile goes together with the next one. */
export class Lane {
  private readonly queue: Piece[] = [];
  private pending = 0;
  private running = false;
  private whenDrained: (() => void) | null = null;

  constructor(private readonly parts: LaneParts) {}

  /** Bytes admitted and not acknowledged. */
  get bytes(): number {
    return this.pending;
  }

  admits(bytes: number): boolean {
    const { clock, headAgeMsMax, bytesMax } = this.parts;
    const head = this.queue[0];
    if (!head) return true;
    if (clock.monotonicMs() - head.admittedAtMs > headAgeMsMax) return false;
    return this.pending + bytes <= bytesMax;
  }

  /** Admits records. Resolves at their acknowledgement; rejects with RecordsRefused, or with what giveUp() is given. */
  push(pieces: readonly LanePiece[]): Promise<void> {
    const offer: Offer = { done: Promise.withResolvers<void>(), refused: [], left: 0 };
    const admittedAtMs = this.parts.clock.monotonicMs();
    for (const piece of pieces) {
      offer.left += 1;
      this.pending += piece.bytes;
      this.queue.push({ ...piece, admittedAtMs, offer });
    }
    void this.run();
    return offer.done.promise;
  }

  /** Resolves once nothing is pending. */
  drained(): Promise<void> {
    if (this.queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => (this.whenDrained = resolve));
  }

  /** Ends all promises; returns what is unclear. */
  giveUp(reason: Error): readonly OutRecord[] {
    const unclear = this.queue.splice(0);
    this.pending = 0;
    for (const { offer } of unclear) offer.done.reject(reason);
    return unclear.flatMap(({ records }) => records);
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.queue.length > 0) {
      const batch = this.head();
      let refused: readonly OutRecord[];
      try {
        refused = await this.parts.carry(batch.length === 1 ? batch[0]!.records : batch.flatMap((p) => p.records));
      } catch {
        // The carrier was stopped: giveUp() answers for what is left.
        return;
      }
      this.queue.splice(0, batch.length);
      for (const piece of batch) this.settle(piece, refused);
      this.parts.onRoom();
    }
    this.running = false;
    this.whenDrained?.();
  }

  private settle({ bytes, records, offer }: Piece, refused: readonly OutRecord[]): void {
    this.pending -= bytes;
    if (refused.length > 0) offer.refused.push(...records.filter((record) => refused.includes(record)));
    offer.left -= 1;
    if (offer.left > 0) return;
    if (offer.refused.length === 0) offer.done.resolve();
    else offer.done.reject(new RecordsRefused(offer.refused));
  }

  /** What goes next: as much as fits in one request, at least one piece. */
  private head(): Piece[] {
    let bytes = 0;
    const tooMany = this.queue.findIndex((piece) => (bytes += piece.bytes) > BATCH_BYTES_MAX);
    return this.queue.slice(0, tooMany === -1 ? this.queue.length : Math.max(1, tooMany));
  }
}

/** Divides the records of one topic into what one request can carry. Throws CanaryError for one that no broker takes. */
export function lanePieces(records: readonly OutRecord[]): LanePiece[] {
  const pieces: LanePiece[] = [];
  for (const record of records) {
    const size = recordBytes(record);
    checkRecord(record, size);
    const last = pieces.at(-1);
    if (last && last.bytes + size <= BATCH_BYTES_MAX) {
      last.records.push(record);
      last.bytes += size;
    } else {
      pieces.push({ records: [record], bytes: size });
    }
  }
  return pieces;
}
