import { type Clock, systemClock } from '../../clock.js';
import { CanaryError } from '../../errors.js';
import type { OutRecord, TopicSpec } from '../message-bus.js';
import { partitionOf } from '../murmur2.js';
import { BrokerTransactions } from './broker-transactions.js';
import { MemoryGroup } from './memory-group.js';
import { MemoryLog } from './memory-log.js';

export interface MemoryBrokerOptions {
  /** Log time. Default the system's. */
  readonly clock?: Clock;
  /** Records kept of each partition; a compacted one is compacted beyond it. Default 20,000 (some 10 MB). */
  readonly retentionRecordsMax?: number;
  /** A member whose handler takes longer than this in a rebalance is left out of it. Default 6000. */
  readonly rebalanceTimeoutMs?: number;
  /** A member out of reach for so long is taken out of its group. Default 6000. */
  readonly sessionTimeoutMs?: number;
  /** A transaction open for so long is aborted. Default: none is. */
  readonly transactionTimeoutMs?: number;
  /** From a commit until readers of committed records see it, ms. Default: at once. */
  readonly markerDelayMs?: () => number;
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
const DEFAULTS = {
  clock: systemClock,
  retentionRecordsMax: 20_000,
  rebalanceTimeoutMs: 6000,
  sessionTimeoutMs: 6000,
};

/** What the servers hold in Kafka: logs, groups, owners of transactional ids. */
export class MemoryBroker {
  readonly options: MemoryBrokerOptions & typeof DEFAULTS;
  readonly transactions: BrokerTransactions;
  private readonly topics = new Map<string, MemoryTopic>();
  private readonly groups = new Map<string, MemoryGroup>();
  private members = 0;

  constructor(options: MemoryBrokerOptions = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.transactions = new BrokerTransactions(this);
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

  nextMemberId(): string {
    return `member-${String(++this.members).padStart(6, '0')}`;
  }

  group(groupId: string): MemoryGroup {
    let group = this.groups.get(groupId);
    if (!group) {
      group = new MemoryGroup(this);
      this.groups.set(groupId, group);
    }
    return group;
  }
}
