import { assignPartitions } from '../assignment.js';
import type { ConsumerOptions, TopicPartition } from '../message-bus.js';
import type { MemoryBroker } from './memory-broker.js';
import type { MemoryLink } from './memory-link.js';

/** What a group needs of a member. The calls reach it through its link. */
export interface GroupParticipant {
  readonly memberId: string;
  readonly topics: readonly string[];
  readonly strategy: ConsumerOptions['assignment'];
  readonly link: MemoryLink;
  /** The assignment of this generation, or an older one, is over: whoever wants to stay gives it back and joins again. */
  rebalance(generationId: number): void;
  assigned(partitions: readonly TopicPartition[], generationId: number): void;
}

interface Membership {
  readonly participant: GroupParticipant;
  /** It has joined the rebalance that is under way. */
  joined: boolean;
  /** While it is out of reach. */
  session: NodeJS.Timeout | undefined;
  readonly unsubscribe: () => void;
}

/** A consumer group's coordinator: eager rebalances, as in Kafka, sessions, and committed offsets. */
export class MemoryGroup {
  private readonly members = new Map<string, Membership>();
  private readonly committed = new Map<string, number>();
  private generationId = 0;
  private rebalancing = false;
  private wakeRebalance: (() => void) | null = null;

  constructor(private readonly broker: MemoryBroker) {}

  /** Takes a member in, or notes that it is ready for the new assignment. */
  join(participant: GroupParticipant): void {
    const { memberId } = participant;
    const member = this.members.get(memberId) ?? this.membership(participant);
    this.members.set(memberId, member);
    member.joined = true;
    this.requestRebalance(member);
  }

  leave(memberId: string): void {
    this.forget(memberId);
    this.requestRebalance();
  }

  /** What a heartbeat tells: whether the assignment of this generation still stands. */
  isCurrent(memberId: string, generationId: number): boolean {
    return this.members.has(memberId) && this.generationId === generationId && !this.rebalancing;
  }

  committedOffset(tp: TopicPartition): number | undefined {
    return this.committed.get(`${tp.topic}/${tp.partition}`);
  }

  commit(tp: TopicPartition, offset: number): void {
    this.committed.set(`${tp.topic}/${tp.partition}`, offset);
  }

  private requestRebalance(joining?: Membership): void {
    this.wakeRebalance?.();
    if (this.rebalancing) return;
    this.rebalancing = true;
    for (const member of this.members.values()) member.joined = member === joining;
    void this.rebalance();
  }

  private async rebalance(): Promise<void> {
    for (;;) {
      const { generationId } = this;
      for (const { participant, joined } of this.members.values())
        if (!joined) participant.link.deliver('rebalance', () => participant.rebalance(generationId));
      if (!(await this.allHaveJoined())) continue;
      this.generationId += 1;
      this.rebalancing = false;
      const participants = [...this.members.values()].map(({ participant }) => participant);
      const assigned = this.assignment(participants);
      for (const participant of participants) {
        const { generationId } = this;
        const partitions = assigned.get(participant.memberId) ?? [];
        participant.link.deliver('assigned', () => participant.assigned(partitions, generationId));
      }
      return;
    }
  }

  /**
   * Whoever has not joined within the rebalance timeout is taken out, and joins as a new member when it can. False: the
   * members changed meanwhile, and all have to be asked again.
   */
  private async allHaveJoined(): Promise<boolean> {
    const asked = [...this.members.keys()].join();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.wakeRebalance?.();
    }, this.broker.options.rebalanceTimeoutMs);
    try {
      while (!late) {
        if ([...this.members.keys()].join() !== asked) return false;
        if ([...this.members.values()].every(({ joined }) => joined)) return true;
        await new Promise<void>((resolve) => (this.wakeRebalance = resolve));
      }
      for (const [memberId, { joined }] of this.members) if (!joined) this.forget(memberId);
      return true;
    } finally {
      clearTimeout(timer);
      this.wakeRebalance = null;
    }
  }

  private membership(participant: GroupParticipant): Membership {
    const { link, memberId } = participant;
    const watch = (): void => {
      clearTimeout(member.session);
      if (link.up) return;
      member.session = setTimeout(() => this.leave(memberId), this.broker.options.sessionTimeoutMs);
    };
    const member: Membership = { participant, joined: false, session: undefined, unsubscribe: link.onChange(watch) };
    // A request to join may arrive when its member is gone already.
    watch();
    return member;
  }

  private forget(memberId: string): void {
    const member = this.members.get(memberId);
    if (!member) return;
    clearTimeout(member.session);
    member.unsubscribe();
    this.members.delete(memberId);
  }

  private assignment(members: readonly GroupParticipant[]): Map<string, TopicPartition[]> {
    const kind = members[0]?.strategy ?? 'balanced';
    return assignPartitions(kind, members, (topic) => this.broker.logs(topic).length);
  }
}
