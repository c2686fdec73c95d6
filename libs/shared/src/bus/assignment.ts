import type { ConsumerOptions, TopicPartition } from './message-bus.js';

export interface SubscribedMember {
  readonly memberId: string;
  readonly topics: readonly string[];
}

/**
 * Who gets which partition. Depends on the members' ids and subscriptions only, so every member would come to the same.
 * `balanced`: the partitions of all topics in one row, dealt out in turn. `co-partitioned`: partition i of every topic
 * to the same member. A topic nobody subscribes to is left out.
 */
export function assignPartitions(
  assignment: ConsumerOptions['assignment'],
  members: readonly SubscribedMember[],
  partitionsOf: (topic: string) => number,
): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const result = new Map<string, TopicPartition[]>(sorted.map((m) => [m.memberId, []]));
  const topics = [...new Set(sorted.flatMap((m) => m.topics))].sort();
  let dealt = 0;
  for (const topic of topics) {
    const candidates = sorted.filter((m) => m.topics.includes(topic));
    for (let partition = 0; partition < partitionsOf(topic); partition++) {
      const turn = assignment === 'co-partitioned' ? partition : dealt++;
      const member = candidates[turn % candidates.length]!;
      result.get(member.memberId)!.push({ topic, partition });
    }
  }
  return result;
}
