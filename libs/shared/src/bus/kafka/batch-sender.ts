import type { OutRecord, TopicPartition } from '../message-bus.js';
import type { BrokerLink } from './broker-link.js';
import { type BrokerNode, ClusterView } from './cluster-view.js';
import { type KafkaClient, partitionKey } from './kafka-client.js';
import { errorOfCode } from './kafka-errors.js';
import { type Delivered, ProduceLoad } from './produce-load.js';
import { encodeProduceRequest, type PartitionAnswer } from './produce-request.js';
import { ProducerSession } from './producer-session.js';

const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 500;
/** In one request; the first batch goes whatever it has. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** For the brokers to agree on a batch: they answer before they are given up. */
const ACK_TIMEOUT_MS = 1200;
const THROTTLE_MS_MAX = 30_000;

/** Codes of Kafka's. */
const UNANSWERED = -1;
const DUPLICATE_SEQUENCE = 46;
/** Message and record list too large, invalid timestamp, invalid record: surely not written, and never to be. */
const REFUSALS: ReadonlySet<number> = new Set([10, 18, 32, 87]);
/** Out of order, invalid epoch, invalid mapping, unknown producer, fenced: only a new session helps. */
const SEQUENCE_ERRORS: ReadonlySet<number> = new Set([45, 47, 49, 59, 90]);

/** Batches of one partition, one at a time. */
interface PartitionLane {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly loads: ProduceLoad[];
  /** On its way, or in a pause. */
  busy: boolean;
  pauseMs: number;
  /** Who leads it must have been asked after this time. */
  askedAfterMs: number;
}

/**
 * Gets batches to the leaders of their partitions, of all producers of a bus over the same connections: all that waits
 * for one broker goes in one request. As an idempotent producer it sends the identical batch again until it is
 * acknowledged, so that no fault loses or doubles one; of each partition one is on its way. A partition, a topic or a
 * broker that is away holds up no other.
 */
export class BatchSender {
  private readonly lanes = new Map<string, PartitionLane>();
  private readonly ready = new Set<PartitionLane>();
  private readonly cluster: ClusterView;
  private readonly asking = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private session: Promise<ProducerSession> | null = null;
  private scheduled = false;
  private closed = false;

  constructor(private readonly client: KafkaClient) {
    this.cluster = new ClusterView(client);
  }

  /** Sends records of one partition, after those handed in before for it. */
  deliver(to: TopicPartition, records: readonly OutRecord[], onError: (error: unknown) => void): Delivered {
    const { load, delivered } = ProduceLoad.of(records, onError);
    const key = partitionKey(to);
    let lane = this.lanes.get(key);
    if (!lane) {
      lane = { key, ...to, loads: [], busy: false, pauseMs: PAUSE_MS_MIN, askedAfterMs: -Infinity };
      this.lanes.set(key, lane);
    }
    lane.loads.push(load);
    if (!lane.busy) this.makeReady(lane);
    return delivered;
  }

  /** Nothing is sent any more. */
  async close(): Promise<void> {
    this.closed = true;
    this.ready.clear();
    this.lanes.clear();
    for (const timer of this.timers) clearTimeout(timer);
    await this.cluster.close();
  }

  private makeReady(lane: PartitionLane): void {
    while (lane.loads[0]?.isAbandoned) lane.loads.shift();
    if (lane.loads.length === 0) return;
    this.ready.add(lane);
    this.schedule();
  }

  /** What is handed in now goes together. */
  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    const byNode = new Map<BrokerNode, PartitionLane[]>();
    for (const lane of this.ready) {
      const node = this.leaderOf(lane);
      if (!node || node.busy) continue;
      const lanes = byNode.get(node);
      if (lanes) lanes.push(lane);
      else byNode.set(node, [lane]);
    }
    for (const [node, lanes] of byNode) void this.request(node, lanes);
  }

  /** undefined: it is being asked for, or the lane waits until it asks again. */
  private leaderOf(lane: PartitionLane): BrokerNode | undefined {
    const found = this.cluster.leaderOf(lane, lane.askedAfterMs);
    if (found === 'unknown') {
      this.askLeaders(lane.topic);
      return undefined;
    }
    if (found instanceof Error) {
      this.retryLater(lane, found);
      return undefined;
    }
    return found;
  }

  private askLeaders(topic: string): void {
    if (this.asking.has(topic)) return;
    this.asking.add(topic);
    const concerned = [...this.ready].filter((lane) => lane.topic === topic);
    this.cluster
      .askLeaders(topic)
      .catch((error: unknown) => {
        for (const lane of concerned)
          if (this.ready.has(lane) && this.cluster.leaderOf(lane, lane.askedAfterMs) === 'unknown')
            this.retryLater(lane, error);
      })
      .finally(() => {
        this.asking.delete(topic);
        this.schedule();
      });
  }

  private async request(node: BrokerNode, lanes: readonly PartitionLane[]): Promise<void> {
    node.busy = true;
    for (const lane of lanes) {
      this.ready.delete(lane);
      lane.busy = true;
    }
    const link = this.cluster.linkOf(node);
    let sent = lanes;
    let throttleMs = 0;
    try {
      const session = await this.sessionBy(link);
      sent = lanes.slice(0, this.countThatFit(lanes, session));
      for (const lane of lanes.slice(sent.length)) this.putBack(lane);
      const batches = sent.map((lane) => ({ ...lane, batch: lane.loads[0]!.batch(session, lane.key) }));
      const { clientId } = this.client;
      const answer = await link.produce(encodeProduceRequest(batches, { clientId, timeoutMs: ACK_TIMEOUT_MS }));
      throttleMs = Math.min(answer.throttleMs, THROTTLE_MS_MAX);
      if (!this.closed) for (const lane of sent) this.settle(lane, answer.partitions.find(isOf(lane)), session);
    } catch (error) {
      // Half an answer, or one to an earlier question, may still come on this connection.
      this.cluster.drop(node, link);
      if (!this.closed) for (const lane of sent) this.retryLater(lane, error);
    }
    if (throttleMs > 0) await this.pause(throttleMs);
    node.busy = false;
    this.schedule();
  }

  /** How many of the lanes' heads one request may carry: at least one. */
  private countThatFit(lanes: readonly PartitionLane[], session: ProducerSession): number {
    let bytes = 0;
    const tooMany = lanes.findIndex((lane, i) => {
      bytes += lane.loads[0]!.batch(session, lane.key).length;
      return i > 0 && bytes > REQUEST_BYTES_MAX;
    });
    return tooMany === -1 ? lanes.length : tooMany;
  }

  private sessionBy(link: BrokerLink): Promise<ProducerSession> {
    if (this.session) return this.session;
    const made = link.initProducerId().then((identity) => new ProducerSession(identity));
    this.session = made;
    made.catch(() => {
      if (this.session === made) this.session = null;
    });
    return made;
  }

  private settle(lane: PartitionLane, answer: PartitionAnswer | undefined, session: ProducerSession): void {
    const load = lane.loads[0]!;
    const code = answer?.errorCode ?? UNANSWERED;
    if (code === 0 || code === DUPLICATE_SEQUENCE) {
      load.written();
      this.finish(lane, []);
    } else if (REFUSALS.has(code)) {
      const halves = load.records.length > 1 ? load.divide(lane.key) : [];
      if (halves.length === 0) load.refuse(lane.key);
      this.finish(lane, halves);
    } else {
      if (SEQUENCE_ERRORS.has(code)) {
        // It may be doubled by that; records carry ids for it.
        if (load.isOf(session)) this.session = null;
        load.forgetSession();
      }
      this.retryLater(lane, errorOfCode(code));
    }
  }

  /** The head is done with; what is in its place, or behind it, is next. */
  private finish(lane: PartitionLane, instead: readonly ProduceLoad[]): void {
    lane.loads.splice(0, 1, ...instead);
    lane.pauseMs = PAUSE_MS_MIN;
    this.putBack(lane);
  }

  private putBack(lane: PartitionLane): void {
    lane.busy = false;
    this.makeReady(lane);
  }

  private retryLater(lane: PartitionLane, error: unknown): void {
    this.ready.delete(lane);
    lane.busy = true;
    lane.askedAfterMs = performance.now();
    lane.loads[0]!.failed(error);
    void this.pause(lane.pauseMs).then(() => this.putBack(lane));
    lane.pauseMs = Math.min(lane.pauseMs * 2, PAUSE_MS_MAX);
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        resolve();
      }, ms);
      this.timers.add(timer);
    });
  }
}

const isOf =
  (lane: PartitionLane) =>
  ({ topic, partition }: PartitionAnswer): boolean =>
    partition === lane.partition && topic === lane.topic;
