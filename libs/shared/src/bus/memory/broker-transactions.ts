import { CanaryError } from '../../errors.js';
import type { ConsumedOffset, GroupMember, OutRecord } from '../message-bus.js';
import type { MemoryBroker } from './memory-broker.js';

interface OwnedId {
  epoch: number;
  /** Ends the transaction that is open; null if none is. */
  unpin: (() => void) | null;
  giveUp: NodeJS.Timeout | undefined;
  /** The markers of what was committed are still to be written. */
  markers: Promise<void> | null;
}

/** What the broker knows of transactional ids: who owns each, and what is open. */
export class BrokerTransactions {
  private readonly ids = new Map<string, OwnedId>();

  constructor(private readonly broker: MemoryBroker) {}

  /** A new epoch, which makes every older one void; what an older one has left open is aborted. */
  async takeOver(transactionalId: string): Promise<number> {
    const id = this.ids.get(transactionalId) ?? { epoch: -1, unpin: null, giveUp: undefined, markers: null };
    this.ids.set(transactionalId, id);
    id.epoch += 1;
    const { epoch } = id;
    this.end(id);
    // As in Kafka: the new owner sees everything that the former one has committed.
    while (id.markers) await id.markers;
    return epoch;
  }

  /** Readers of committed records wait behind what is written from here on. Throws CanaryError `fenced`. */
  begin(transactionalId: string, epoch: number, records: readonly OutRecord[]): void {
    const id = this.owned(transactionalId, epoch);
    this.end(id);
    const pins = [...new Set(records.map((record) => this.broker.logOf(record)))].map((log) => log.pin());
    id.unpin = () => pins.forEach((unpin) => unpin());
    const { transactionTimeoutMs } = this.broker.options;
    if (transactionTimeoutMs !== undefined) id.giveUp = setTimeout(() => this.end(id), transactionTimeoutMs);
  }

  /** Writes everything at once, or nothing. Throws CanaryError `fenced`. */
  commit(
    transactionalId: string,
    epoch: number,
    records: readonly OutRecord[],
    offsets?: { readonly member: GroupMember; readonly offsets: readonly ConsumedOffset[] },
  ): void {
    const id = this.owned(transactionalId, epoch);
    // It came twice, or was given up as open for too long.
    if (records.length > 0 && !id.unpin)
      throw new CanaryError('fenced', `${transactionalId} has no open transaction any more`);
    for (const record of records) this.broker.logOf(record).append(record);
    for (const log of new Set(records.map((record) => this.broker.logOf(record)))) log.appendMarker();
    for (const { offset, ...tp } of offsets?.offsets ?? [])
      this.broker.group(offsets!.member.groupId).commit(tp, offset);
    const delayMs = this.broker.options.markerDelayMs?.() ?? 0;
    if (delayMs === 0) this.end(id);
    else this.endLater(id, delayMs);
  }

  private endLater(id: OwnedId, delayMs: number): void {
    const { unpin } = id;
    id.unpin = null;
    clearTimeout(id.giveUp);
    const before = id.markers;
    const written = new Promise<void>((resolve) => setTimeout(resolve, delayMs)).then(async () => {
      await before;
      unpin?.();
      if (id.markers === written) id.markers = null;
    });
    id.markers = written;
  }

  private end(id: OwnedId): void {
    clearTimeout(id.giveUp);
    id.unpin?.();
    id.unpin = null;
  }

  private owned(transactionalId: string, epoch: number): OwnedId {
    const id = this.ids.get(transactionalId);
    if (id?.epoch === epoch) return id;
    throw new CanaryError('fenced', `another owner took over ${transactionalId}`);
  }
}
