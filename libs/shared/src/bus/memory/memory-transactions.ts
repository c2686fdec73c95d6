import { CanaryError } from '../../errors.js';
import type { ConsumedOffset, GroupMember, OutRecord, TransactionalProducer } from '../message-bus.js';
import { checkRecord, recordBytes } from '../records.js';
import type { MemoryBroker } from './memory-broker.js';
import type { MemoryLink } from './memory-link.js';

export interface MemoryTransactionsDeps {
  readonly broker: MemoryBroker;
  readonly link: MemoryLink;
  /** Whether this process still holds the assignment that a member stands for; the broker itself does not ask. */
  readonly isCurrent: (member: GroupMember) => boolean;
}

interface TransactionOffsets {
  readonly member: GroupMember;
  readonly offsets: readonly ConsumedOffset[];
}

/** One owner of a transactional id; dead after the first failure, because then nobody knows what the broker has done. */
export class MemoryTransactionalProducer implements TransactionalProducer {
  private epoch: number | null = null;
  private deadOf: CanaryError | null = null;

  constructor(
    private readonly deps: MemoryTransactionsDeps,
    private readonly transactionalId: string,
  ) {}

  fence(): Promise<void> {
    return this.attempt(() => this.begin([]));
  }

  transaction(records: readonly OutRecord[], offsets?: TransactionOffsets): Promise<void> {
    for (const record of records) {
      checkRecord(record, recordBytes(record));
      this.deps.broker.logOf(record);
    }
    return this.attempt(async () => {
      if (offsets && !this.deps.isCurrent(offsets.member))
        throw new CanaryError('fenced', `the group ${offsets.member.groupId} has given its partitions to others`);
      await this.begin(records);
      await this.call('commit', (epoch) =>
        this.deps.broker.transactions.commit(this.transactionalId, epoch, records, offsets),
      );
    });
  }

  async close(): Promise<void> {
    this.deadOf ??= new CanaryError('producer-closed', 'the transactional producer was closed');
  }

  /** Takes the id over, the first time, and opens a transaction. */
  private async begin(records: readonly OutRecord[]): Promise<void> {
    const { transactions } = this.deps.broker;
    if (this.epoch === null) {
      const name = `fence ${this.transactionalId}`;
      this.epoch = await this.deps.link.call(name, () => transactions.takeOver(this.transactionalId));
    }
    if (records.length > 0)
      await this.call('begin', (epoch) => transactions.begin(this.transactionalId, epoch, records));
  }

  private call(what: string, atBroker: (epoch: number) => void): Promise<void> {
    if (this.deadOf) throw this.deadOf;
    return this.deps.link.call(`${what} ${this.transactionalId}`, () => atBroker(this.epoch!));
  }

  private async attempt(act: () => Promise<void>): Promise<void> {
    if (this.deadOf) throw this.deadOf;
    try {
      await act();
    } catch (error) {
      const { code } = error as CanaryError;
      if (code !== 'fenced' && code !== 'kafka-unavailable') throw error;
      this.deadOf ??=
        code === 'fenced'
          ? (error as CanaryError)
          : new CanaryError('unclear', 'the broker did not answer', { cause: error });
      throw this.deadOf;
    }
  }
}
