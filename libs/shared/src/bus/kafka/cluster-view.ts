import type { TopicPartition } from '../message-bus.js';
import { BrokerLink, type TopicLeaders } from './broker-link.js';
import type { KafkaClient } from './kafka-client.js';
import { errorOfCode, errorTypes } from './kafka-errors.js';

const LEADERS_AGE_MS_MAX = 300_000;
/** No node's id. */
const NOBODY = -1;
/** Codes of Kafka's. */
const UNKNOWN_PARTITION = 3;
const NO_LEADER = 5;

/** A broker. Whoever sends to it says by `busy` that it waits for an answer. */
export interface BrokerNode {
  readonly host: string;
  readonly port: number;
  link: BrokerLink | null;
  busy: boolean;
}

interface KnownLeaders {
  readonly leaders: TopicLeaders['leaders'];
  readonly atMs: number;
}

/** Who leads which partition, as far as it was asked, and a connection to each of them. Topics are asked for one by one. */
export class ClusterView {
  private readonly nodes = new Map<number, BrokerNode>();
  private readonly leaders = new Map<string, KnownLeaders>();
  private bootstrapIndex = 0;

  constructor(private readonly client: KafkaClient) {}

  /** `unknown`: not asked since. An error: nobody leads it, or there is no such partition. */
  leaderOf({ topic, partition }: TopicPartition, sinceMs: number): BrokerNode | 'unknown' | Error {
    const known = this.leaders.get(topic);
    if (!known || known.atMs < Math.max(sinceMs, performance.now() - LEADERS_AGE_MS_MAX)) return 'unknown';
    const leader = known.leaders[partition];
    return this.nodes.get(leader ?? NOBODY) ?? errorOfCode(leader === undefined ? UNKNOWN_PARTITION : NO_LEADER);
  }

  /** Rejects with Kafka's error for the topic, or with what keeps Kafka from answering. */
  async askLeaders(topic: string): Promise<void> {
    const atMs = performance.now();
    const { brokers, leaders } = await this.askAnyBroker((link) => link.leaders(topic));
    for (const { nodeId, host, port } of brokers) {
      const node = this.nodes.get(nodeId);
      if (node?.host === host && node.port === port) continue;
      void node?.link?.close();
      this.nodes.set(nodeId, { host, port, link: null, busy: false });
    }
    this.leaders.set(topic, { leaders, atMs });
  }

  linkOf(node: BrokerNode): BrokerLink {
    node.link ??= new BrokerLink(this.client, node.host, node.port);
    return node.link;
  }

  /** The next linkOf() makes a new one. */
  drop(node: BrokerNode, link: BrokerLink): void {
    if (node.link === link) node.link = null;
    void link.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].flatMap(({ link }) => link?.close() ?? []));
  }

  /** A broker that is connected already, or else the next one of those that are named in the configuration. */
  private async askAnyBroker<T>(ask: (link: BrokerLink) => Promise<T>): Promise<T> {
    const node = [...this.nodes.values()].find(({ link, busy }) => link && !busy);
    const { bootstrap } = this.client;
    const { host, port } = node ?? bootstrap[this.bootstrapIndex++ % bootstrap.length]!;
    const link = node?.link ?? new BrokerLink(this.client, host, port);
    try {
      const answer = await ask(link);
      if (!node) void link.close();
      return answer;
    } catch (error) {
      // Kafka's own errors are answers; with anything else it does not answer any more.
      if (!node) void link.close();
      else if (errorTypes(error).length === 0) this.drop(node, link);
      throw error;
    }
  }
}
