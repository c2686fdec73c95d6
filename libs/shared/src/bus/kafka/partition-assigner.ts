import kafkajs, { type Cluster, type PartitionAssigner } from 'kafkajs';
import { assignPartitions } from '../assignment.js';
import type { ConsumerOptions } from '../message-bus.js';

const { MemberAssignment, MemberMetadata } = kafkajs.AssignerProtocol;
const PROTOCOL_VERSION = 1;

export interface AssignerOptions {
  readonly assignment: ConsumerOptions['assignment'];
  /** Hands out only these partitions; for followers, which are alone in their group. */
  readonly only?: readonly number[] | undefined;
}

/** kafkajs's own assigner neither keeps partitions of several topics together nor knows members' subscriptions. */
export function partitionAssigner(options: AssignerOptions): PartitionAssigner {
  return ({ cluster }) => ({
    name: `model-canary-${options.assignment}`,
    version: PROTOCOL_VERSION,
    protocol({ topics }) {
      return {
        name: this.name,
        metadata: MemberMetadata.encode({ version: PROTOCOL_VERSION, topics, userData: Buffer.alloc(0) }),
      };
    },
    async assign({ members }) {
      const subscribed = members.map(({ memberId, memberMetadata }) => ({
        memberId,
        topics: MemberMetadata.decode(memberMetadata)?.topics ?? [],
      }));
      const assigned = assignPartitions(options.assignment, subscribed, (topic) => partitionCount(cluster, topic));
      return members.map(({ memberId }) => {
        const assignment: Record<string, number[]> = {};
        for (const { topic, partition } of assigned.get(memberId) ?? []) {
          if (options.only?.includes(partition) ?? true) (assignment[topic] ??= []).push(partition);
        }
        const encoded = { version: PROTOCOL_VERSION, assignment, userData: Buffer.alloc(0) };
        return { memberId, memberAssignment: MemberAssignment.encode(encoded) };
      });
    },
  });
}

const partitionCount = (cluster: Cluster, topic: string): number => cluster.findTopicPartitionMetadata(topic).length;
