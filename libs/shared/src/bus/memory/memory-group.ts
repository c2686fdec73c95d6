import { assignPartitions } from '../assignment.js';
import type { ConsumerOptions, TopicPartition } from '../message-bus.js';
import { type MemoryBroker, nextTurn } from './memory-broker.js';

/** What a group needs of a member. */
export interface GroupParticipant {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly strategy: ConsumerOptions['assignment'];
  /** Ends the assignment at once; resolves when the handlers in flight have ended. */
  revoke(): Promise<void>;
  assign(partitions: readonly TopicPartition[], generationId: number): void;
}

/** A consumer group's coordinator: eager rebalances, as in Kafka, and committed offsets. */
export class MemoryGroup {
  private readonly members = new Map<string, GroupParticipant>();
  private readonly committed = new Map<string, number>();
  private generationId = 0;
  private rebalancing = false;
  private again = false;

  constructor(private readonly broker: MemoryBroker) {}

  join(member: GroupParticipant): void {
    this.members.set(member.memberId, member);
    this.requestRebalance();
  }

  leave(memberId: string): void {
    this.members.delete(memberId);
    this.requestRebalance();
  }

  isCurrent(memberId: string, generationId: number): boolean {
    return this.members.has(memberId) && this.generationId === generationId && !this.rebalancing;
  }

  committedOffset(tp: TopicPartition): number | undefined {
    return this.committed.get(`${tp.topic}/${tp.partition}`);
  }

  commit(tp: TopicPartition, offset: number): void {
    this.committed.set(`${tp.topic}/${tp.partition}`, offset);
  }

  requestRebalance(): void {
    this.again = true;
    if (this.rebalancing) return;
    this.rebalancing = true;
    void this.rebalance();
  }

  private async rebalance(): Promise<void> {
    while (this.again) {
      await nextTurn();
      this.again = false;
      const revoked = [...this.members.values()].map((member) => ({ member, ended: member.revoke() }));
      const ready = await this.thoseInTime(revoked);
      if (this.again || !this.broker.available) continue;
      this.generationId += 1;
      const assigned = this.assignment(ready);
      for (const member of ready) member.assign(assigned.get(member.memberId) ?? [], this.generationId);
    }
    this.rebalancing = false;
  }

  /** Members whose handlers end within the rebalance timeout; the others are left out and join again when they have. */
  private async thoseInTime(
    revoked: readonly { member: GroupParticipant; ended: Promise<void> }[],
  ): Promise<GroupParticipant[]> {
    const ready: GroupParticipant[] = [];
    let late = false;
    const all = revoked.map(async ({ member, ended }) => {
      await ended;
      if (late) this.requestRebalance();
      else if (this.members.has(member.memberId)) ready.push(member);
    });
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, this.broker.options.rebalanceTimeoutMs);
    await Promise.race([Promise.all(all), timeout.promise]);
    clearTimeout(timer);
    late = true;
    return ready;
  }

  private assignment(members: readonly GroupParticipant[]): Map<string, TopicPartition[]> {
    const kind = members[0]?.strategy ?? 'balanced';
    return assignPartitions(kind, members, (topic) => this.broker.logs(topic).length);
  }
}
