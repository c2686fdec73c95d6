import type { Clock } from '../../clock.js';
import { CanaryError } from '../../errors.js';
import type { OutRecord, TopicSpec } from '../message-bus.js';
import { partitionOf } from '../murmur2.js';
import { MemoryGroup } from './memory-group.js';
import { MemoryLog } from './memory-log.js';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  readonly retentionRecordsMax: number;
  readonly rebalanceTimeoutMs: number;
}

interface MemoryTopic {
  readonly logs: readonly MemoryLog[];
  readonly config: Readonly<Record<string, string>>;
}

const TOPIC_DEFAULTS = {
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'CreateTime',
  'retention.ms': '604800000',
};

/** What the servers hold in Kafka: logs, groups, owners of transactional ids. */
export class MemoryBroker {
  private readonly topics = new Map<string, MemoryTopic>();
  private readonly groups = new Map<string, MemoryGroup>();
  private readonly transactionalEpochs = new Map<string, number>();
  private readonly availabilityListeners = new Set<() => void>();
  private up = true;

  constructor(readonly options: MemoryBrokerOptions) {}

  get available(): boolean {
    return this.up;
  }

  setAvailable(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    for (const group of this.groups.values()) group.requestRebalance();
    for (const listener of this.availabilityListeners) listener();
  }

  onAvailability(listener: () => void): () => void {
    this.availabilityListeners.add(listener);
    return () => this.availabilityListeners.delete(listener);
  }

  createTopic(spec: TopicSpec): void {
    if (this.topics.has(spec.topic)) return;
    const config = { ...TOPIC_DEFAULTS, ...spec.config };
    const compacted = config['cleanup.policy'].includes('compact');
    const { clock, retentionRecordsMax } = this.options;
    const logs = Array.from(
      { length: spec.partitions },
      () => new MemoryLog({ compacted, retentionRecordsMax, clock }),
    );
    this.topics.set(spec.topic, { logs, config });
  }

  find(topic: string): MemoryTopic | undefined {
    return this.topics.get(topic);
  }

  /** All partitions of a topic. Throws CanaryError `missing-topic`. */
  logs(topic: string): readonly MemoryLog[] {
    const found = this.topics.get(topic);
    if (!found) throw new CanaryError('missing-topic', `the topic ${topic} does not exist`);
    return found.logs;
  }

  /** The partition a record goes to. Throws CanaryError `missing-topic` or `unknown-partition`. */
  logOf(record: OutRecord): MemoryLog {
    const logs = this.logs(record.topic);
    const partition = record.partition ?? partitionOf(record.key ?? '', logs.length);
    const log = logs[partition];
    if (!log) throw new CanaryError('unknown-partition', `${record.topic} has no partition ${partition}`);
    return log;
  }

  group(groupId: string): MemoryGroup {
    let group = this.groups.get(groupId);
    if (!group) {
      group = new MemoryGroup(this);
      this.groups.set(groupId, group);
    }
    return group;
  }

  /** Takes over a transactional id: a new epoch, which makes every older one void. */
  takeTransactionalId(transactionalId: string): number {
    const epoch = (this.transactionalEpochs.get(transactionalId) ?? -1) + 1;
    this.transactionalEpochs.set(transactionalId, epoch);
    return epoch;
  }

  ownsTransactionalId(transactionalId: string, epoch: number): boolean {
    return this.transactionalEpochs.get(transactionalId) === epoch;
  }
}

/** The next turn of the event loop: nothing in memory is delivered within the call that caused it. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
