import { CanaryError } from '../../errors.js';
import type { ConsumedOffset, GroupMember, OutRecord, TransactionalProducer } from '../message-bus.js';
import { checkRecord, recordBytes } from '../records.js';
import { type MemoryBroker, nextTurn } from './memory-broker.js';

/** Transactions are appended in one go, so nobody ever sees a part of one, or an aborted one. */
export class MemoryTransactionalProducer implements TransactionalProducer {
  private epoch: number | null = null;
  private deadOf: CanaryError | null = null;

  constructor(
    private readonly broker: MemoryBroker,
    private readonly transactionalId: string,
  ) {}

  async fence(): Promise<void> {
    await this.arrive();
    this.own();
  }

  async transaction(
    records: readonly OutRecord[],
    offsets?: { readonly member: GroupMember; readonly offsets: readonly ConsumedOffset[] },
  ): Promise<void> {
    const logs = records.map((record) => {
      checkRecord(record, recordBytes(record));
      return this.broker.logOf(record);
    });
    await this.arrive();
    this.own();
    if (offsets) this.checkMember(offsets.member);
    logs.forEach((log, i) => log.append(records[i]!));
    for (const log of new Set(logs)) log.appendMarker();
    for (const { offset, ...tp } of offsets?.offsets ?? []) {
      this.broker.group(offsets!.member.groupId).commit(tp, offset);
    }
    await nextTurn();
  }

  async close(): Promise<void> {
    this.deadOf ??= new CanaryError('producer-closed', 'the transactional producer was closed');
  }

  private async arrive(): Promise<void> {
    await nextTurn();
    if (this.deadOf) throw this.deadOf;
    if (!this.broker.available) throw this.die('unclear', 'the broker did not answer');
  }

  private own(): void {
    this.epoch ??= this.broker.takeTransactionalId(this.transactionalId);
    if (!this.broker.ownsTransactionalId(this.transactionalId, this.epoch)) {
      throw this.die('fenced', `another owner took over ${this.transactionalId}`);
    }
  }

  private checkMember(member: GroupMember): void {
    if (this.broker.group(member.groupId).isCurrent(member.memberId, member.generationId)) return;
    throw this.die('fenced', `the group ${member.groupId} has moved on from generation ${member.generationId}`);
  }

  private die(code: 'fenced' | 'unclear', message: string): CanaryError {
    this.deadOf = new CanaryError(code, message);
    return this.deadOf;
  }
}
